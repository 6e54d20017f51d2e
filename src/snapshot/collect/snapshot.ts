import { clockAhead, clockToleranceMs } from '../../cluster/clock.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { badCredentials, foreignAnswer, isForeign, readJson } from '../../cluster/status.ts';
import { UsageError } from '../../errors.ts';
import { seen, skipped } from '../observed.ts';
import type { ApiSnapshot, Snapshot, SnapshotOptions, Wanted } from '../types.ts';
import { type Shared, snapshotApi } from './api.ts';
import { collectBackend } from './backend.ts';
import { type CollectContext, collectContext } from './context.ts';
import { customResourcesOf } from './custom-resources.ts';
import { inventoryOf, type Name } from './inventory.ts';
import { isBelow } from './list.ts';
import { listedOf } from './listed.ts';
import { findRegistrations, neighboursIn, type Registrations } from './registrations.ts';
import { collectRequestHeader } from './request-header.ts';
import { type CheckedUser, getPath, pathsOf } from './requests.ts';
import { collectServerLog } from './server-log.ts';

/**
 * Collects everything that a diagnosis needs, and changes nothing. Records what cannot be observed.
 * @throws ClusterError when the cluster does not answer, is not Kubernetes, refuses the
 * credentials, or refuses to list the wanted APIServices; the reason of the signal
 */
export async function takeSnapshot(cluster: Cluster, wanted: Wanted, options: SnapshotOptions, signal: AbortSignal): Promise<Snapshot> {
  const context = collectContext(cluster, signal, options);
  const info = serverInfo(context);
  // The caller of snapshotApis gets the error of `info` from here.
  const known = info.then(
    ({ version }) => version,
    () => undefined,
  );
  const [{ version, aheadMs }, apis] = await Promise.all([info, snapshotApis(context, wanted, options, known)]);
  return {
    apiVersion: 'apisvc.dev/snapshot/v1alpha1',
    takenAt: new Date().toISOString(),
    source: { kind: 'cluster', server: cluster.server, context: cluster.context, version },
    apis: apis.map((api) => ({ ...api, ...(aheadMs === undefined ? {} : { apiServerAheadMs: aheadMs }), ...projectOf(api, options) })),
  };
}

function projectOf({ name }: ApiSnapshot, { compared, declared }: SnapshotOptions): Pick<ApiSnapshot, 'project' | 'declared'> {
  return {
    ...(isIn(compared, name) ? { project: unnamed(compared) } : {}),
    ...(isIn(declared, name) ? { declared: unnamed(declared) } : {}),
  };
}

const isIn = <T extends { readonly names: readonly string[] }>(own: T | undefined, name: string): own is T =>
  own?.names.includes(name) === true;

function unnamed<T extends { readonly names: unknown }>({ names: _, ...view }: T): Omit<T, 'names'> {
  return view;
}

interface ServerInfo {
  readonly version: string | undefined;
  /** How far its clock is ahead of the local one. Undefined within the tolerance. */
  readonly aheadMs: number | undefined;
}

async function serverInfo({ cluster, signal }: CollectContext): Promise<ServerInfo> {
  const sentAt = Date.now();
  const answer = await cluster.request({ path: '/version', signal });
  const ahead = clockAhead(answer, sentAt) ?? 0;
  const aheadMs = Math.abs(ahead) > clockToleranceMs ? ahead : undefined;
  if (answer.status === 401) throw badCredentials(cluster, new Date());
  // A web server on this address may answer every path with status 200.
  if (isForeign(answer)) throw foreignAnswer(cluster, 'get /version', answer);
  if (answer.status !== 200) return { version: undefined, aheadMs };
  return {
    version: readJson<{ gitVersion: string }>(cluster, answer, ({ gitVersion }) => typeof gitVersion === 'string').gitVersion,
    aheadMs,
  };
}

async function snapshotApis(
  context: CollectContext,
  wanted: Wanted,
  options: SnapshotOptions,
  version: Shared['version'],
): Promise<ApiSnapshot[]> {
  const [requestHeader, registrations] = await Promise.all([collectRequestHeader(context), findRegistrations(context, wanted)]);
  const services = registrations.wanted.flatMap(({ apiService }) => seen(apiService)?.service ?? []);
  const inventory = inventoryOf(context, new Set(services.map(({ namespace, name }) => `${namespace}/${name}`)).size);
  const serviceOf = once(inventory.service, ({ namespace, name }: Name) => `${namespace}/${name}`);
  const shared: Shared = {
    context,
    version,
    user: checkedUser(context.cluster, options),
    probe: options.probe,
    requestsForEach: registrations.wanted.length > fewApis ? 1 : 4,
    all: registrations.all,
    neighboursOf: neighboursIn(registrations.all),
    requestHeader,
    serviceOf,
    backendOf: once((service) => collectBackend(context, { ...inventory, service: serviceOf }, service), JSON.stringify),
    groupOf: once((path) => getPath(context, path), String),
    customResourcesOf: once(customResourcesOf(context), String),
    listedOf: listedOf(context),
    logOf: once(async (container) => (context.logs ? collectServerLog(context, container) : skipped('logs are not read')), JSON.stringify),
  };
  requireApisOf(options.probe, registrations.wanted);
  let done = 0;
  return Promise.all(
    registrations.wanted.map(async ({ name, apiService }) => {
      const snapshot = await snapshotApi(shared, name, apiService);
      done += 1;
      options.onProgress?.(done, registrations.wanted.length);
      return snapshot;
    }),
  );
}

/** For more APIs, fewer requests are repeated. */
const fewApis = 16;

/** --as-user is another user than that of --as, who then only sends the requests. */
function checkedUser({ as }: Cluster, { asUser }: SnapshotOptions): CheckedUser | undefined {
  if (asUser !== undefined) return { name: asUser, current: false };
  return as === undefined ? undefined : { name: as, current: true };
}

/** @throws UsageError for a path of --probe that belongs to no wanted API */
function requireApisOf(probe: SnapshotOptions['probe'] = [], wanted: Registrations['wanted']): void {
  if (probe === 'none' || wanted.length === 0) return;
  const roots = wanted.map(({ name }) => pathsOf(name).version);
  const other = probe.find((path) => !roots.some((root) => isBelow(path, root)));
  if (other === undefined) return;
  throw new UsageError(`--probe ${other} is not under ${roots.length === 1 ? roots[0] : 'the path of a selected API'}`, {
    fix: `Set a path that starts with /apis/GROUP/VERSION/, for example --probe ${roots[0]}/RESOURCE?limit=1`,
  });
}

/** Runs a function once for each key, and shares the result. */
function once<K, T>(work: (of: K) => Promise<T>, keyOf: (of: K) => string): (of: K) => Promise<T> {
  const started = new Map<string, Promise<T>>();
  return (of) => {
    const key = keyOf(of);
    const promise = started.get(key) ?? work(of);
    started.set(key, promise);
    return promise;
  };
}
