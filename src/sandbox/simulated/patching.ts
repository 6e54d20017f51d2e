import { ApiFailure, badRequest, conflict, notFound, notSimulated } from '../shared/failure.ts';
import { applyObject } from './apply.ts';
import { mediaTypeOf, parseYaml, readBody, withoutNulls } from './bodies.ts';
import { type WriteOptions, writeOptions } from './options.ts';
import { jsonPatch, mergePatch } from './patches.ts';
import { placed, refuseUnknownFields, withKnownFields } from './sent.ts';
import type { Call, Kind, Obj, Simulation } from './types.ts';
import type { Track, Writer } from './writer.ts';

/** By content type. */
const changes: ReadonlyMap<string, (object: Obj, patch: Obj) => Obj> = new Map([
  ['application/merge-patch+json', mergePatch],
  ['application/json-patch+json', jsonPatch],
]);

interface Patched {
  /** 201 when server-side apply created it. */
  readonly status: 200 | 201;
  readonly object: Obj;
}

type Patch = (call: Call, kind: Kind, liveNow: () => Obj | undefined, track: (options: WriteOptions) => Track) => Promise<Patched>;

/**
 * Does what a PATCH asks for (k8s.io/apiserver/pkg/endpoints/handlers/patch.go).
 * @returns throws ApiFailure
 */
export function createPatcher({ now }: Pick<Simulation, 'now'>, writer: Writer): Patch {
  const apply = (call: Call, kind: Kind, live: Obj | undefined, body: string, options: WriteOptions): Patched => {
    const { subresource } = call.info;
    const patch = { apiVersion: '', kind: '', ...withoutNulls(parseYaml(body, (why) => badRequest(`error decoding patch: ${why}`))) };
    refuseUnknownFields(kind, patch);
    const applied = placed(kind, call, patch, false);
    const { resourceVersion, ...metadata } = applied.metadata;
    if (live && resourceVersion && resourceVersion !== live.metadata.resourceVersion) {
      throw conflict(
        kind,
        live.metadata.name,
        'the object has been modified; please apply your changes to the latest version and try again',
      );
    }
    const { fieldManager: manager, force } = options;
    const object = applyObject({ kind, live, applied: { ...applied, metadata }, manager, force, subresource, now: now() });
    // Who owns what is settled: what the defaults add is nobody's.
    const how = { ...options, subresource, track: (complete: Obj) => complete };
    if (live) return { status: 200, object: writer.update(kind, live, object, how) };
    if (subresource !== '') throw notFound(kind, call.info.name);
    return { status: 201, object: writer.create(kind, object, how) };
  };

  return async (call, kind, liveNow, track) => {
    const { request, url, info } = call;
    const type = mediaTypeOf(request);
    if (type === 'application/strategic-merge-patch+json') {
      throw notSimulated('Strategic merge patches (kubectl apply --server-side and kubectl patch --type=merge work)');
    }
    const isApply = type === 'application/apply-patch+yaml';
    const change = changes.get(type);
    if (!isApply && !change) throw new ApiFailure(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
    const options = writeOptions('PatchOptions', url, request.headers['user-agent'], isApply);
    const body = (await readBody(request)).toString('utf8');
    const live = liveNow();
    if (!change) return apply(call, kind, live, body, options);
    if (!live) throw notFound(kind, info.name);
    const patched = change(live, readPatch(body));
    if (patched.apiVersion !== live.apiVersion || patched.kind !== live.kind) {
      throw badRequest(`a patch may not change the type of an object: ${patched.apiVersion} ${patched.kind}`);
    }
    const sent = withKnownFields(kind, call, placed(kind, call, withoutNulls(patched), true), options);
    const how = { ...options, subresource: info.subresource, track: track(options) };
    return { status: 200, object: writer.update(kind, live, sent, how) };
  };
}

function readPatch(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw badRequest('invalid JSON patch');
  }
}
