import type { ApisvcError } from '../errors.ts';
import type { KubeObject } from '../manifests/types.ts';
import type { Answer } from './answer.ts';
import { backoff } from './backoff.ts';
import { type Cluster, StreamRefused } from './cluster.ts';
import { Expired, Unreachable } from './faults.ts';
import type { ClusterRequest } from './link.ts';
import { describeRef, type ObjectRef, type Resource, resourcePath, resources } from './resources.ts';
import { hasMetadata, isObject, readJson, readStatus, refusal } from './status.ts';

/** The reference to an object. @throws Error for an unknown kind: a defect of apisvc */
export function refOf({ apiVersion, kind, metadata }: KubeObject): ObjectRef {
  const resource = Object.values(resources).find((each) => each.kind === kind && each.apiVersion === apiVersion);
  if (!resource) throw new Error(`unknown kind ${apiVersion} ${kind}`);
  return { resource, namespace: metadata.namespace, name: metadata.name };
}

/**
 * Reads one object.
 * @returns undefined when it does not exist
 * @throws as `refusal` for any other answer, also for an unknown resource
 */
export async function getObject(cluster: Cluster, ref: ObjectRef, signal: AbortSignal): Promise<KubeObject | undefined> {
  return objectIn(cluster, ref, await cluster.request({ path: resourcePath(ref.resource, ref.namespace, ref.name), signal }));
}

/** The object in an answer, as `getObject` returns it. @throws as `getObject` */
export function objectIn(cluster: Cluster, ref: ObjectRef, answer: Answer): KubeObject | undefined {
  if (answer.status === 404 && readStatus(answer).about === ref.name) return undefined;
  if (answer.status !== 200) throw refusal(cluster, { verb: 'get', ref }, answer, new Date());
  return readJson<KubeObject>(cluster, answer, hasMetadata);
}

/** Selects objects of a resource. */
export interface Collection {
  readonly resource: Resource;
  readonly namespace?: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

interface List {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  /** null in an empty list of metadata. */
  readonly items: readonly KubeObject[] | null;
}

interface Listed extends List {
  readonly items: readonly KubeObject[];
}

/** The EndpointSlices of a Service (k8s.io/api/discovery/v1/well_known_labels.go). */
export const slicesOf = ({ namespace, name }: { readonly namespace: string; readonly name: string }): Collection => ({
  resource: resources.EndpointSlice,
  namespace,
  labelSelector: `kubernetes.io/service-name=${name}`,
});

/** Lists a collection. Items of a list have no apiVersion and kind; this adds them. */
export async function listObjects(cluster: Cluster, of: Collection, signal: AbortSignal): Promise<readonly KubeObject[]> {
  return (await list(cluster, of, signal)).items;
}

/** An object may have a megabyte, and a page must arrive within the limit of a request. */
const pageSize = '20';

/**
 * Lists a collection of large objects in parts (KEP-365). Yields nothing when the cluster does not
 * serve the kind.
 */
export async function* listPages(cluster: Cluster, of: Collection, signal: AbortSignal): AsyncGenerator<readonly KubeObject[]> {
  const { path, query } = listRequest(of);
  let next: string | undefined;
  do {
    const answer = await cluster.request({ path, query: { ...query, limit: pageSize, continue: next }, signal });
    if (answer.status === 404) return;
    const { metadata, items } = readList(cluster, of, answer);
    yield items;
    next = metadata.continue || undefined;
  } while (next !== undefined);
}

/**
 * Lists only the metadata of a collection, for kinds of which a cluster may have megabytes
 * (k8s.io/apimachinery/pkg/apis/meta/v1, PartialObjectMetadata).
 * @returns an empty list also when the cluster does not serve the kind
 */
export async function listMetadata(cluster: Cluster, of: Collection, signal: AbortSignal): Promise<readonly KubeObject[]> {
  const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
  const answer = await cluster.request({ ...listRequest(of), accept, signal });
  return answer.status === 404 ? [] : readList(cluster, of, answer).items;
}

async function list(cluster: Cluster, of: Collection, signal: AbortSignal): Promise<Listed> {
  return readList(cluster, of, await cluster.request({ ...listRequest(of), signal }));
}

const listRequest = ({ resource, namespace, fieldSelector, labelSelector }: Collection) => ({
  path: resourcePath(resource, namespace),
  query: { fieldSelector, labelSelector },
});

function readList(cluster: Cluster, of: Collection, answer: Answer): Listed {
  if (answer.status !== 200) throw refusal(cluster, { verb: 'list', ref: anyOf(of) }, answer, new Date());
  const { metadata, items } = readJson<List>(cluster, answer, isList);
  return { metadata, items: (items ?? []).map((item) => ({ ...item, apiVersion: of.resource.apiVersion, kind: of.resource.kind })) };
}

const isList = ({ items }: { readonly items?: unknown }): boolean => items === null || (Array.isArray(items) && items.every(isObject));

const anyOf = ({ resource, namespace }: Collection): ObjectRef => ({ resource, namespace, name: '*' });

/** Pauses before a broken watch is retried. */
const retries = { firstMs: 200, longestMs: 5_000 };

/**
 * Yields all objects of a collection, and again after each change, until the caller stops or the
 * signal aborts. Like the reflector of client-go (k8s.io/client-go/tools/cache/reflector.go), it
 * lists again after a broken watch or an expired resourceVersion (410).
 * @throws the reason of the signal; ClusterError when the user may not list or watch
 */
export async function* observe(cluster: Cluster, of: Collection, signal: AbortSignal): AsyncGenerator<readonly KubeObject[]> {
  const wait = backoff(retries);
  let answered = false;
  for (;;) {
    try {
      const { metadata, items } = await list(cluster, of, signal);
      answered = true;
      yield items;
      const known = new Map(items.map((item) => [keyOf(item), item]));
      for await (const event of events(cluster, of, { resourceVersion: metadata.resourceVersion }, signal)) {
        if (event.type === 'ERROR') break;
        wait.reset();
        if (event.type === 'DELETED') known.delete(keyOf(event.object));
        else known.set(keyOf(event.object), event.object);
        yield [...known.values()];
      }
    } catch (error) {
      // A cluster that answered before may be restarting. One that never answered is an error.
      if (!(error instanceof Unreachable) || !answered) throw error;
    }
    await wait.pause(signal);
  }
}

/** Metadata is enough to know what changed. */
const onlyMetadata = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';

/** A changed object, and where a later watch goes on. */
export interface Change {
  /** Absent in a bookmark. */
  readonly object?: KubeObject;
  readonly resourceVersion: string;
}

/** The resourceVersion of a collection now, for `changes`. @throws as `refusal` */
export async function latestVersion(cluster: Cluster, of: Collection, signal: AbortSignal): Promise<string> {
  const { path, query } = listRequest(of);
  // A list of one object has the version too.
  const { metadata } = readList(cluster, of, await cluster.request({ path, query: { ...query, limit: '1' }, signal }));
  return metadata.resourceVersion;
}

/**
 * Yields the metadata of each object of a collection that changes after a version, and keeps none
 * of them. Returns when kube-apiserver ends the watch, after about `seconds`.
 * @throws the reason of the signal; Expired; ClusterError when the watch breaks, or is not allowed
 */
export async function* changes(
  cluster: Cluster,
  of: Collection,
  { resourceVersion, seconds }: { readonly resourceVersion: string; readonly seconds: number },
  signal: AbortSignal,
): AsyncGenerator<Change> {
  // With bookmarks, the version stays new where nothing changes.
  const query = { resourceVersion, timeoutSeconds: String(seconds), allowWatchBookmarks: 'true' };
  for await (const { type, object } of events(cluster, of, query, signal, onlyMetadata)) {
    if (type === 'ERROR') throw watchError(cluster, of, object);
    yield { resourceVersion: object.metadata.resourceVersion, ...(type === 'BOOKMARK' ? {} : { object }) };
  }
}

function watchError(cluster: Cluster, of: Collection, status: KubeObject & { readonly code?: number }): ApisvcError {
  const answer = { status: status.code ?? 500, body: JSON.stringify(status) };
  return answer.status === 410
    ? new Expired(`failed to watch ${describeRef(anyOf(of))}: ${readStatus(answer).message}`)
    : refusal(cluster, { verb: 'watch', ref: anyOf(of) }, answer, new Date());
}

const keyOf = ({ metadata }: KubeObject): string => `${metadata.namespace ?? ''}/${metadata.name}`;

interface WatchEvent {
  /** The object of ERROR is a Status. */
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: KubeObject & { readonly metadata: { readonly resourceVersion: string } };
}

async function* events(
  cluster: Cluster,
  of: Collection,
  options: ClusterRequest['query'] & { readonly resourceVersion: string },
  signal: AbortSignal,
  accept?: string,
): AsyncGenerator<WatchEvent> {
  const { fieldSelector, labelSelector } = of;
  const query = { watch: 'true', ...options, fieldSelector, labelSelector };
  try {
    const request = { path: resourcePath(of.resource, of.namespace), query, signal, ...(accept === undefined ? {} : { accept }) };
    for await (const line of cluster.stream(request)) yield parseEvent(line);
  } catch (error) {
    if (!(error instanceof StreamRefused)) throw error;
    if (error.answer.status !== 410) throw refusal(cluster, { verb: 'watch', ref: anyOf(of) }, error.answer, new Date());
    // The resourceVersion is too old, which kube-apiserver also says in an event.
    yield { type: 'ERROR', object: readJson<WatchEvent['object']>(cluster, error.answer) };
  }
}

/** A line that is not an event comes from a proxy. A new watch may succeed. */
function parseEvent(line: string): WatchEvent {
  try {
    return JSON.parse(line) as WatchEvent;
  } catch (cause) {
    throw new Unreachable('the watch returned a line that is not JSON', { cause });
  }
}
