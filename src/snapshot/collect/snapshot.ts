import type { Cluster } from '../../cluster/cluster.ts';
import { badCredentials } from '../../cluster/status.ts';
import type { ApiSnapshot, Snapshot, SnapshotOptions, Wanted } from '../types.ts';
import { type Shared, snapshotApi } from './api.ts';
import { lookAtBackend } from './backend.ts';
import { customResourcesOf } from './custom-resources.ts';
import { inventoryOf } from './inventory.ts';
import { paced, turns } from './limit.ts';
import { listedOf } from './listed.ts';
import type { Looking } from './looking.ts';
import { findRegistrations } from './registrations.ts';
import { lookAtRequestHeader } from './request-header.ts';
import { getPath } from './requests.ts';

/** A TLS handshake costs work on both sides; a connection that nobody answers costs nothing, so many of those may wait. */
const dials = { quick: 16, slow: 1024, patienceMs: 250 };

/**
 * Looks at everything that a diagnosis needs, and changes nothing. What can't be seen is recorded as such.
 * @param wanted which APIServices are meant
 * @throws ClusterError when the cluster gives no answer, refuses the credentials, or does not list what is meant; the signal's reason when it is aborted
 */
export async function takeSnapshot(given: Cluster, wanted: Wanted, options: SnapshotOptions, signal: AbortSignal): Promise<Snapshot> {
  const cluster = paced(given);
  const [version, apis] = await Promise.all([
    serverVersion(cluster, signal),
    snapshotApis({ cluster, dials: turns(dials), signal }, wanted, options),
  ]);
  const { server, context } = cluster;
  return {
    apiVersion: 'apisvc.dev/snapshot/v1alpha1',
    takenAt: new Date().toISOString(),
    source: { kind: 'cluster', server, context, version },
    apis,
  };
}

async function serverVersion(cluster: Cluster, signal: AbortSignal): Promise<string | undefined> {
  const answer = await cluster.request({ path: '/version', signal });
  if (answer.status === 401) throw badCredentials(cluster, new Date());
  if (answer.status !== 200) return undefined;
  try {
    return String(JSON.parse(answer.body).gitVersion);
  } catch {
    return undefined;
  }
}

async function snapshotApis(looking: Looking, wanted: Wanted, options: SnapshotOptions): Promise<ApiSnapshot[]> {
  const [requestHeader, registrations] = await Promise.all([lookAtRequestHeader(looking), findRegistrations(looking, wanted)]);
  const services = registrations.wanted.flatMap(({ apiService }) => (apiService.state === 'seen' ? (apiService.value.service ?? []) : []));
  const inventory = inventoryOf(looking, new Set(services.map(({ namespace, name }) => `${namespace}/${name}`)).size);
  const shared: Shared = {
    looking,
    asUser: options.asUser,
    all: registrations.all,
    requestHeader,
    backendOf: once((service) => lookAtBackend(looking, inventory, service), JSON.stringify),
    groupOf: once((path) => getPath(looking, path), String),
    customResourcesOf: once(customResourcesOf(looking), String),
    listedOf: listedOf(looking),
  };
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

/** Does work once for everybody who asks for the same. */
function once<K, T>(work: (of: K) => Promise<T>, keyOf: (of: K) => string): (of: K) => Promise<T> {
  const begun = new Map<string, Promise<T>>();
  return (of) => {
    const key = keyOf(of);
    const promise = begun.get(key) ?? work(of);
    begun.set(key, promise);
    return promise;
  };
}
