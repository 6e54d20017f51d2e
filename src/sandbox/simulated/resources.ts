import { sendJson } from '../shared/answer.ts';
import { badRequest, notAllowed, notFound, notServed, notSimulated } from '../shared/failure.ts';
import { trackUpdate } from './apply.ts';
import { mediaTypeOf, parseBody, readBody, readObject, withoutNulls } from './bodies.ts';
import { deleteObject } from './deletion.ts';
import { kindAt } from './kinds.ts';
import { type DeleteOptions, type WriteOptions, writeOptions } from './options.ts';
import { createPatcher } from './patching.ts';
import { representationFor } from './representation.ts';
import { selectorOf } from './selectors.ts';
import { placed } from './sent.ts';
import type { Call, Kind, Obj, Simulation } from './types.ts';
import { answerWatch, versionOf } from './watch.ts';
import { createWriter, type Track } from './writer.ts';

interface Target {
  readonly kind: Kind;
  /** Undefined for all namespaces, and for cluster-scoped kinds. */
  readonly namespace: string | undefined;
  /** The current object. Call it once the body is read: others may write meanwhile. */
  readonly live: () => Obj | undefined;
}

type Answer = (call: Call, target: Target) => void | Promise<void>;

/**
 * Serves the stored objects (k8s.io/apiserver/pkg/endpoints/handlers).
 * @returns answers one request; throws ApiFailure
 */
export function createResources(simulation: Simulation): (call: Call) => Promise<void> {
  const { store, now } = simulation;
  const writer = createWriter(simulation);
  const patch = createPatcher(simulation, writer);

  const answer = (call: Call, kind: Kind, status: number, object: Obj): void =>
    sendJson(call, status, representationFor(call, kind, now).one(object));
  const tracked =
    ({ info }: Call, kind: Kind, { fieldManager }: WriteOptions): Track =>
    (updated, live) =>
      trackUpdate({ kind, live, updated, manager: fieldManager, subresource: info.subresource, now: now() });

  const answers: Readonly<Record<string, Answer>> = {
    get: (call, { kind, live }) => answer(call, kind, 200, existing(call, kind, live())),
    list(call, { kind, namespace }) {
      versionOf(call.url);
      const found = store.list(kind, namespace).filter(selectorOf(call.url));
      sendJson(call, 200, representationFor(call, kind, now).list(found, store.resourceVersion));
    },
    watch: (call, { kind }) => answerWatch(simulation, call, kind),
    async create(call, { kind }) {
      const write = writeOptions(call.url, call.request.headers['user-agent']);
      const sent = placed(kind, call, await readObject(call, kind), false);
      answer(call, kind, 201, writer.create(kind, sent, { ...write, subresource: '', track: tracked(call, kind, write) }));
    },
    async update(call, { kind, live }) {
      const { subresource } = call.info;
      const options = writeOptions(call.url, call.request.headers['user-agent']);
      const sent = placed(kind, call, await readObject(call, kind), true);
      const write = { ...options, subresource, track: tracked(call, kind, options) };
      answer(call, kind, 200, writer.update(kind, existing(call, kind, live()), sent, write));
    },
    async patch(call, { kind, live }) {
      const { status, object } = await patch(call, kind, live, (write) => tracked(call, kind, write));
      answer(call, kind, status, object);
    },
    async delete(call, { kind, live }) {
      const options = await readDeleteOptions(call);
      const { object, gone } = deleteObject(store, kind, existing(call, kind, live()), options, now());
      if (!gone) return answer(call, kind, 200, object);
      const { name, uid } = object.metadata;
      const details = { name, ...(kind.group === '' ? {} : { group: kind.group }), kind: kind.plural, uid };
      sendJson(call, 200, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details });
    },
  };

  return async (call) => {
    const { info, request } = call;
    const kind = kindOfCall(call);
    const verb = request.method === 'HEAD' ? '' : info.verb;
    const isRead = ['get', 'list', 'watch'].includes(verb);
    const single = info.name !== '' && !['list', 'watch'].includes(verb);
    if (!kind.namespaced && kind.kind !== 'Namespace' && info.namespace) throw notServed();
    if (kind.namespaced && !info.namespace && (single || !isRead)) throw notAllowed();
    if (verb === 'deletecollection') throw notSimulated('Deletions of collections');
    if (single === (verb === 'create') && !['list', 'watch'].includes(verb)) throw notAllowed();
    if (info.subresource === 'status' && !['get', 'update', 'patch'].includes(verb)) throw notAllowed();
    if (kind.listedOnly && !isRead) throw notSimulated(`Objects of kind ${kind.kind}`);
    const namespace = kind.namespaced && info.namespace ? info.namespace : undefined;
    const respond = answers[verb];
    if (!respond) throw notAllowed();
    await respond(call, { kind, namespace, live: () => store.get(kind, namespace, info.name) });
  };
}

/** Subresources of kube-apiserver that the simulation does not have. */
const known = ['attach', 'eviction', 'exec', 'finalize', 'portforward', 'proxy', 'scale'];

/** @throws ApiFailure 404 for an unknown resource or subresource; 501 for one of these */
function kindOfCall({ info: { group, version, resource, subresource } }: Call): Kind {
  const kind = kindAt(group, version, resource);
  if (!kind) throw notServed();
  if (subresource === '' || (subresource === 'status' && kind.status)) return kind;
  throw known.includes(subresource) ? notSimulated(`Requests to ${resource}/${subresource}`) : notServed();
}

function existing({ info }: Call, kind: Kind, live: Obj | undefined): Obj {
  if (!live) throw notFound(kind, info.name);
  return live;
}

/**
 * The options of a DELETE: of its body, or of the query where it has none
 * (k8s.io/apiserver/pkg/endpoints/handlers/delete.go).
 */
async function readDeleteOptions({ request, url }: Call): Promise<DeleteOptions> {
  const body = await readBody(request);
  if (body.length === 0) return { ...Object.fromEntries(url.searchParams), dryRun: url.searchParams.getAll('dryRun') };
  const { apiVersion: _, kind, ...options } = withoutNulls(parseBody(mediaTypeOf(request), body, { group: '' }));
  if (kind !== undefined && kind !== 'DeleteOptions') throw badRequest(`the body of a delete is DeleteOptions, not ${kind}`);
  return options;
}
