import { createHash } from 'node:crypto';
import type { Answer, Cluster, ClusterRequest } from '../../cluster/cluster.ts';
import { type Collection, getObject, listObjects, refOf } from '../../cluster/objects.ts';
import { type ObjectRef, type Resource, resourcePath, resources } from '../../cluster/resources.ts';
import { readJson, readStatus, refusal } from '../../cluster/status.ts';
import { timestamp } from '../shared/timestamp.ts';
import type { Json } from './registry.ts';

/** The name of the node, and of whatever it does in the cluster. */
export const nodeName = 'apisvc-sandbox';

const nodes: Resource = { apiVersion: 'v1', kind: 'Node', plural: 'nodes', namespaced: false };

/** What the node asks of kube-apiserver. Everything throws as `refusal` says, or ClusterError when no answer comes. */
export interface Api {
  list(of: Collection): Promise<readonly Json[]>;
  /** @returns undefined when there is none */
  get(ref: ObjectRef): Promise<Json>;
  /** @returns undefined when there is one of this name already, or its namespace is gone or going */
  create(object: Json): Promise<Json>;
  /** A JSON merge patch (RFC 7396). @returns undefined when it is gone */
  patch(object: Json, change: object, subresource?: 'status'): Promise<Json>;
  /** Deletes this very object; nothing happens when it is gone. @param graceSeconds 0: at once, as a kubelet does when everything has ended */
  remove(object: Json, graceSeconds?: number): Promise<void>;
  /** A token of a ServiceAccount (authentication.k8s.io/v1, TokenRequest). @returns undefined when there is no such ServiceAccount */
  token(account: { readonly namespace: string; readonly name: string }, spec: object): Promise<Json>;
  /** An Event; the same one again only counts. Nobody waits for it. */
  record(about: Json, type: 'Normal' | 'Warning', reason: string, message: string): void;
}

/** @param onError is told of an Event that could not be written */
export function createApi(cluster: Cluster, signal: AbortSignal, onError: (error: unknown) => void): Api {
  const send = async (
    verb: 'create' | 'patch' | 'delete',
    ref: ObjectRef,
    request: Omit<ClusterRequest, 'path' | 'signal'>,
  ): Promise<Answer> => {
    // A new object's name is in its body.
    const named = verb === 'create' && ref.resource.subresource === undefined ? undefined : ref.name;
    const path = resourcePath(ref.resource, ref.namespace, named);
    const answer = await cluster.request({ path, query: { fieldManager: nodeName }, signal, ...request });
    if (answer.status < 300 || answer.status === 404 || answer.status === 409 || isLeaving(answer)) return answer;
    throw refusal(cluster, { verb, ref }, answer, new Date());
  };
  const found = (answer: Answer): Json => (answer.status < 300 ? readJson(cluster, answer) : undefined);

  const create: Api['create'] = async (object) => found(await send('create', refOfAny(object), { method: 'POST', body: object }));
  const patch: Api['patch'] = async (object, body, subresource) => {
    const ref = refOfAny(object);
    const resource = subresource === undefined ? ref.resource : { ...ref.resource, subresource };
    return found(await send('patch', { ...ref, resource }, { method: 'PATCH', contentType: 'application/merge-patch+json', body }));
  };
  const counts = new Map<string, number>();
  const recordNow = async (about: Json, type: string, reason: string, message: string): Promise<void> => {
    const event = eventOf(about, { type, reason, message }, new Date());
    const count = (counts.get(event.metadata.name) ?? 0) + 1;
    counts.set(event.metadata.name, count);
    if (count === 1) await create(event);
    else await patch(event, { count, lastTimestamp: event.lastTimestamp });
  };

  return {
    list: (of) => listObjects(cluster, of, signal),
    get: (ref) => getObject(cluster, ref, signal),
    create,
    patch,
    remove: async (object, gracePeriodSeconds) => {
      const preconditions = { uid: object.metadata.uid };
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions, propagationPolicy: 'Background', gracePeriodSeconds };
      await send('delete', refOfAny(object), { method: 'DELETE', query: {}, body });
    },
    token: async ({ namespace, name }, spec) => {
      const ref = { resource: { ...resources.ServiceAccount, subresource: 'token' }, namespace, name };
      const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
      return found(await send('create', ref, { method: 'POST', body }));
    },
    record: (...event) => void recordNow(...event).catch((error) => signal.aborted || onError(error)),
  };
}

/** k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle. */
const isLeaving = (answer: Answer): boolean =>
  answer.status === 403 && readStatus(answer).causes.some(({ reason }) => reason === 'NamespaceTerminating');

const refOfAny = (object: Json): ObjectRef =>
  object.kind === nodes.kind ? { resource: nodes, namespace: undefined, name: object.metadata.name } : refOf(object);

/** A short name for a value that is always the same for the same one. */
export const hashOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 10);

function eventOf({ apiVersion, kind, metadata }: Json, event: { type: string; reason: string; message: string }, now: Date): Json {
  const { namespace, name, uid } = metadata;
  const time = timestamp(now);
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${hashOf([uid, event])}`, namespace },
    involvedObject: { apiVersion, kind, namespace, name, uid },
    ...event,
    source: { component: nodeName },
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
}
