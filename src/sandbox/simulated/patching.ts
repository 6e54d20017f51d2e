import { applyPatch } from 'rfc6902';
import { mergePatch } from '../../config/merge-patch.ts';
import { ApiFailure, badRequest, conflict, notFound, notSimulated } from '../shared/failure.ts';
import { applyObject } from './apply.ts';
import { mediaTypeOf, parseYaml, readBody, withoutNulls } from './bodies.ts';
import { type WriteOptions, writeOptions } from './options.ts';
import { placed } from './sent.ts';
import type { Call, Kind, Obj, Simulation } from './types.ts';
import type { Track, Writer } from './writer.ts';

/**
 * A JSON patch (RFC 6902); `object` stays as it is.
 * @throws ApiFailure 422 when it does not apply
 */
export function jsonPatch(object: Obj, patch: Obj): Obj {
  const patched = structuredClone(object);
  try {
    if (applyPatch(patched, patch).every((outcome) => outcome === null)) return patched;
  } catch {
    // Not a list of operations, or a path that is not a JSON pointer.
  }
  throw new ApiFailure(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
}

/** By content type. */
const patches: ReadonlyMap<string, (object: Obj, patch: Obj) => Obj> = new Map([
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
 * @returns handles a PATCH (k8s.io/apiserver/pkg/endpoints/handlers/patch.go); throws ApiFailure
 */
export function createPatcher({ now }: Pick<Simulation, 'now'>, writer: Writer): Patch {
  const apply = (call: Call, kind: Kind, live: Obj | undefined, body: Buffer, options: WriteOptions): Patched => {
    const { subresource } = call.info;
    const applied = placed(kind, call, { apiVersion: '', kind: '', ...withoutNulls(parseYaml(body)) }, false);
    const { resourceVersion, ...metadata } = applied.metadata;
    if (live && resourceVersion && resourceVersion !== live.metadata.resourceVersion) throw conflict(kind, live.metadata.name);
    const { fieldManager: manager, force } = options;
    const object = applyObject({ kind, live, applied: { ...applied, metadata }, manager, force, subresource, now: now() });
    // applyObject has set the owners: defaults that are filled in later have none.
    const write = { ...options, subresource, track: (complete: Obj) => complete };
    if (live) return { status: 200, object: writer.update(kind, live, object, write) };
    if (subresource !== '') throw notFound(kind, call.info.name);
    return { status: 201, object: writer.create(kind, object, write) };
  };

  return async (call, kind, liveNow, track) => {
    const { request, url, info } = call;
    const type = mediaTypeOf(request);
    if (type === 'application/strategic-merge-patch+json')
      throw notSimulated('Strategic merge patches (kubectl apply --server-side and kubectl patch --type=merge work)');
    const isApply = type === 'application/apply-patch+yaml';
    const patch = patches.get(type);
    if (!isApply && !patch) throw new ApiFailure(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
    const options = writeOptions(url, request.headers['user-agent']);
    const body = await readBody(request);
    const live = liveNow();
    if (!patch) return apply(call, kind, live, body, options);
    if (!live) throw notFound(kind, info.name);
    const patched = patch(live, readPatch(body));
    if (patched.apiVersion !== live.apiVersion || patched.kind !== live.kind)
      throw badRequest(`a patch may not change the type of an object: ${patched.apiVersion} ${patched.kind}`);
    const write = { ...options, subresource: info.subresource, track: track(options) };
    return { status: 200, object: writer.update(kind, live, placed(kind, call, withoutNulls(patched), true), write) };
  };
}

function readPatch(body: Buffer): Obj {
  let patch: unknown;
  try {
    patch = JSON.parse(body.toString('utf8'));
  } catch {
    throw badRequest('the patch is not valid JSON');
  }
  if (typeof patch !== 'object' || patch === null) throw badRequest('the patch is neither an object nor a list');
  return patch;
}
