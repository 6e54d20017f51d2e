import { createHash } from 'node:crypto';
import type { Answer } from '../../cluster/answer.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import type { ClusterRequest } from '../../cluster/link.ts';
import { type Collection, getObject, listObjects, refOf } from '../../cluster/objects.ts';
import { type ObjectRef, type Resource, resourcePath, resources } from '../../cluster/resources.ts';
import { readJson, readStatus, refusal } from '../../cluster/status.ts';
import { timestamp } from '../shared/timestamp.ts';
import type { Json } from './registry.ts';

/** The name of the node, and its field manager. */
export const nodeName = 'apisvc-sandbox';

const nodes: Resource = { apiVersion: 'v1', kind: 'Node', plural: 'nodes', namespaced: false };

/**
 * The requests of the node to kube-apiserver. Every method throws what `refusal` returns, or
 * ClusterError when kube-apiserver does not answer.
 */
export interface Api {
  list(of: Collection): Promise<readonly Json[]>;
  /** @returns undefined when it does not exist */
  get(ref: ObjectRef): Promise<Json>;
  /** @returns undefined when the name is taken, or the namespace is terminating or gone */
  create(object: Json): Promise<Json>;
  /** Sends a JSON merge patch (RFC 7396). @returns undefined when the object is gone */
  patch(object: Json, change: object, subresource?: 'status'): Promise<Json>;
  /** Deletes the object with this uid if it still exists. @param graceSeconds 0: at once */
  remove(object: Json, graceSeconds?: number): Promise<void>;
  /** Requests a token (TokenRequest). @returns undefined when the ServiceAccount does not exist */
  token(account: { readonly namespace: string; readonly name: string }, spec: object): Promise<Json>;
  /** Records a warning Event, each one once. Returns before it is written. */
  warn(about: Json, reason: string, message: string): void;
}

/** @param onError is called for an Event that cannot be written */
export function createApi(cluster: Cluster, signal: AbortSignal, onError: (error: unknown) => void): Api {
  const send = async (
    verb: 'create' | 'patch' | 'delete',
    ref: ObjectRef,
    request: Omit<ClusterRequest, 'path' | 'signal'>,
  ): Promise<Answer> => {
    // The body has the name of a new object.
    const named = verb === 'create' && ref.resource.subresource === undefined ? undefined : ref.name;
    const path = resourcePath(ref.resource, ref.namespace, named);
    const answer = await cluster.request({ path, query: { fieldManager: nodeName }, signal, ...request });
    if (answer.status < 300 || answer.status === 404 || answer.status === 409 || isTerminating(answer)) return answer;
    throw refusal(cluster, { verb, ref }, answer, new Date());
  };
  const found = (answer: Answer): Json => (answer.status < 300 ? readJson(cluster, answer) : undefined);
  const create: Api['create'] = async (object) => found(await send('create', refOfAny(object), { method: 'POST', body: object }));
  const recorded = new Set<string>();
  return {
    list: (of) => listObjects(cluster, of, signal),
    get: (ref) => getObject(cluster, ref, signal),
    create,
    patch: async (object, body, subresource) => {
      const ref = refOfAny(object);
      const resource = subresource === undefined ? ref.resource : { ...ref.resource, subresource };
      return found(await send('patch', { ...ref, resource }, { method: 'PATCH', contentType: 'application/merge-patch+json', body }));
    },
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
    warn: (about, reason, message) => {
      const event = eventOf(about, reason, message);
      if (recorded.has(event.metadata.name)) return;
      recorded.add(event.metadata.name);
      create(event).catch((error) => signal.aborted || onError(error));
    },
  };
}

/** k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle. */
const isTerminating = (answer: Answer): boolean =>
  answer.status === 403 && readStatus(answer).causes.some(({ reason }) => reason === 'NamespaceTerminating');

const refOfAny = (object: Json): ObjectRef =>
  object.kind === nodes.kind ? { resource: nodes, namespace: undefined, name: object.metadata.name } : refOf(object);

/** A short hash: equal values have equal hashes. */
export const hashOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 10);

function eventOf({ apiVersion, kind, metadata }: Json, reason: string, message: string): Json {
  const { namespace, name, uid } = metadata;
  const time = timestamp(new Date());
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${hashOf([uid, reason, message])}`, namespace },
    involvedObject: { apiVersion, kind, namespace, name, uid },
    type: 'Warning',
    reason,
    message,
    source: { component: nodeName },
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
}
