import type { Cluster } from '../cluster/cluster.ts';
import { wasRefused } from '../cluster/faults.ts';
import { listObjects } from '../cluster/objects.ts';
import { resources } from '../cluster/resources.ts';
import { type Status, type StatusOptions, statusOf } from '../diagnosis/status.ts';
import { takeSnapshot } from '../snapshot/collect/snapshot.ts';
import type { Declared, Project } from '../snapshot/types.ts';
import { viewApiService } from '../snapshot/views.ts';

export interface StatusRequest extends Omit<StatusOptions, 'compared'> {
  readonly names: readonly string[];
  readonly compared?: Project | undefined;
  readonly declared?: Declared | undefined;
  readonly signal: AbortSignal;
}

/**
 * Compares the certificates of APIServices at every place: the files of the project, the Secret,
 * the caBundle of every APIService that leads to the same Service, and every endpoint. Changes
 * nothing.
 * @throws as `takeSnapshot`
 */
export async function status(cluster: Cluster, { names, compared, declared, signal, ...options }: StatusRequest): Promise<Status> {
  const all = await withSiblings(cluster, names, signal);
  const own = compared?.names.some((name) => names.includes(name)) ? { ...compared, names: all } : undefined;
  const snapshot = await takeSnapshot(cluster, { names: all }, { probe: 'none', ...(own ? { compared: own } : {}), declared }, signal);
  return statusOf(snapshot, { ...options, compared: own, ...(own ? {} : { next: undefined, unreadable: undefined, hasNext: false }) });
}

/** Adds the APIServices, also of other projects, that lead to the same Services. */
async function withSiblings(cluster: Cluster, names: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
  const found = await listObjects(cluster, { resource: resources.APIService }, signal).catch((error) => {
    // The snapshot says so.
    if (wasRefused(error)) return [];
    throw error;
  });
  const views = found.map(viewApiService);
  const serviceOf = ({ service }: (typeof views)[number]): string => (service ? `${service.namespace}/${service.name}` : '');
  const services = views.filter(({ name }) => names.includes(name)).map(serviceOf);
  const siblings = views.filter((each) => serviceOf(each) !== '' && services.includes(serviceOf(each))).map(({ name }) => name);
  return [...new Set([...names, ...siblings])];
}
