import { sendJson } from '../shared/answer.ts';
import { ApiFailure, badRequest, notAllowed, notFound, notServed, notSimulated } from '../shared/failure.ts';
import { trackUpdate } from './apply.ts';
import { mediaTypeOf, parseBody, readBody, readObject, withoutNulls } from './bodies.ts';
import { deleteObject } from './deletion.ts';
import { kindAt } from './kinds.ts';
import { checkListOptions, type DeleteOptions, deleteOptions, type WriteOptions, writeOptions } from './options.ts';
import { createPatcher } from './patching.ts';
import { representationFor } from './representation.ts';
import { selectorOf } from './selectors.ts';
import { placed, withKnownFields } from './sent.ts';
import type { Call, Kind, Obj, Simulation } from './types.ts';
import { answerWatch, versionOf } from './watch.ts';
import { checkReplacement, createWriter, type Track } from './writer.ts';

/** AllowCreateOnUpdate of the strategies. */
const createdByUpdate = [
  'ClusterRole',
  'ClusterRoleBinding',
  'Role',
  'RoleBinding',
  'Lease',
  'Endpoints',
  'Event',
  'LimitRange',
  'Service',
];
/** ReturnDeletedObject of the registries; others answer with a Status. */
const answersDeleted = ['Pod', 'Service', 'ServiceAccount'];

/** What a call is about. */
interface Target {
  readonly kind: Kind;
  /** Undefined for all namespaces, and for what is in none. */
  readonly namespace: string | undefined;
  /**
   * The object as it is now: to be asked for when the whole request has been read, since others
   * write while that lasts.
   */
  readonly live: () => Obj | undefined;
}

type Answer = (call: Call, target: Target) => void | Promise<void>;

/**
 * Answers what is asked of the kept objects as kube-apiserver would
 * (k8s.io/apiserver/pkg/endpoints/handlers).
 * @returns answers one call for a resource; throws ApiFailure
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
  const options = (kind: 'CreateOptions' | 'UpdateOptions', { url, request }: Call): WriteOptions =>
    writeOptions(kind, url, request.headers['user-agent']);

  const answers: Readonly<Record<string, Answer>> = {
    get: (call, { kind, live }) => answer(call, kind, 200, existing(call, kind, live())),
    list(call, { kind, namespace }) {
      checkListOptions(call.url);
      checkVersion(
        versionOf(call.url, (why) => badRequest(`invalid resource version: ${why}`)),
        store.resourceVersion,
      );
      const found = store.list(kind, namespace).filter(selectorOf(kind, call.url));
      sendJson(call, 200, representationFor(call, kind, now).list(found, store.resourceVersion));
    },
    watch: (call, { kind }) => answerWatch(simulation, call, kind),
    async create(call, { kind }) {
      const write = options('CreateOptions', call);
      const sent = withKnownFields(kind, call, placed(kind, call, await readObject(call, kind), false), write);
      answer(call, kind, 201, writer.create(kind, sent, { ...write, subresource: '', track: tracked(call, kind, write) }));
    },
    async update(call, { kind, live }) {
      const { subresource } = call.info;
      const write = options('UpdateOptions', call);
      const sent = withKnownFields(kind, call, placed(kind, call, await readObject(call, kind), true), write);
      const how = { ...write, subresource, track: tracked(call, kind, write) };
      const old = live();
      if (!old && subresource === '' && createdByUpdate.includes(kind.kind)) return answer(call, kind, 201, writer.create(kind, sent, how));
      checkReplacement(kind, sent, existing(call, kind, old));
      answer(call, kind, 200, writer.update(kind, old, sent, how));
    },
    async patch(call, { kind, live }) {
      const { status, object } = await patch(call, kind, live, (write) => tracked(call, kind, write));
      answer(call, kind, status, object);
    },
    async delete(call, { kind, live }) {
      const how = await readDeleteOptions(call);
      const { object, gone } = deleteObject(store, kind, existing(call, kind, live()), how, now());
      if (!gone || answersDeleted.includes(kind.kind)) return answer(call, kind, 200, object);
      const { name, uid } = object.metadata;
      const details = { name, ...(kind.group === '' ? {} : { group: kind.group }), kind: kind.plural, uid };
      sendJson(call, 200, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details });
    },
    async deletecollection(call, { kind, namespace }) {
      if (kind.kind === 'Namespace') throw notAllowed();
      const how = await readDeleteOptions(call);
      const deleted = store
        .list(kind, namespace)
        .filter(selectorOf(kind, call.url))
        .map((object) => deleteObject(store, kind, object, how, now()).object);
      sendJson(call, 200, representationFor(call, kind, now).list(deleted, store.resourceVersion));
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
    if (single === ['create', 'deletecollection'].includes(verb) && !['list', 'watch'].includes(verb)) throw notAllowed();
    if (info.subresource === 'status' && !['get', 'update', 'patch'].includes(verb)) throw notAllowed();
    if (kind.listedOnly && !isRead) throw notSimulated(`Objects of kind ${kind.kind}`);
    const namespace = kind.namespaced && info.namespace ? info.namespace : undefined;
    const respond = answers[verb];
    if (!respond) throw notAllowed();
    await respond(call, { kind, namespace, live: () => store.get(kind, namespace, info.name) });
  };
}

/** Paths below an object that a full kube-apiserver has. */
const beyond: Readonly<Record<string, readonly string[]>> = {
  Pod: ['attach', 'binding', 'ephemeralcontainers', 'eviction', 'exec', 'resize'],
  Namespace: ['finalize'],
  Node: ['proxy'],
};

/** @throws ApiFailure 404 for what kube-apiserver does not have either, 501 for what only it has */
function kindOfCall({ info: { group, version, resource, subresource } }: Call): Kind {
  const kind = kindAt(group, version, resource);
  if (!kind) throw notServed();
  if (subresource === '' || (subresource === 'status' && kind.status)) return kind;
  if (subresource === 'scale' && kind.subresources?.some(({ name }) => name === subresource)) throw notSimulated('Scale subresources');
  if (beyond[kind.kind]?.includes(subresource)) throw notSimulated(`Requests to ${resource}/${subresource}`);
  throw kind.subresources?.some(({ name }) => name === subresource) ? notAllowed() : notServed();
}

function existing({ info }: Call, kind: Kind, live: Obj | undefined): Obj {
  if (!live) throw notFound(kind, info.name);
  return live;
}

/** k8s.io/apiserver/pkg/storage/errors.go, NewTooLargeResourceVersionError. */
function checkVersion(wanted: number, current: number): void {
  if (wanted <= current) return;
  const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }];
  throw new ApiFailure(504, 'Timeout', `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    causes,
    retryAfterSeconds: 1,
  });
}

async function readDeleteOptions({ request, url }: Call): Promise<DeleteOptions> {
  const body = await readBody(request);
  const read = body.length === 0 ? {} : parseBody(mediaTypeOf(request), body, { group: '' }, badRequest);
  const { apiVersion, kind, ...options } = withoutNulls(read);
  if (kind !== undefined && kind !== 'DeleteOptions')
    throw badRequest(`no kind "${kind}" is registered for version "${apiVersion}" in scheme "pkg/runtime/scheme.go:111"`);
  return deleteOptions(url, options);
}
