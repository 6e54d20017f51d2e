import { type ClusterOptions, listContexts } from '../cluster/kubeconfig.ts';
import { listObjects } from '../cluster/objects.ts';
import { resources } from '../cluster/resources.ts';
import { apiServiceNamePattern } from '../config/registration.ts';
import type { ApiServiceView } from '../snapshot/types.ts';
import { viewApiService } from '../snapshot/views.ts';
import { withCluster } from './cluster.ts';

/** A completion, and its description. */
export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** Milliseconds. A longer wait would feel like a hanging shell. */
const timeout = 2_000;

/** The contexts of the kubeconfig. No request is sent. @throws UsageError if it cannot be read */
export const contexts = (options: ClusterOptions, env: NodeJS.ProcessEnv): Candidate[] =>
  listContexts(options, env).map(({ name, server, current }) => ({
    value: name,
    description: current ? `${server ?? 'no server'} (current)` : (server ?? ''),
  }));

/**
 * The APIServices of the cluster.
 * @throws ClusterError, UsageError; DeadlineError after two seconds
 */
export async function apiServices(options: ClusterOptions, env: NodeJS.ProcessEnv): Promise<Candidate[]> {
  const caller = { env, interrupt: new AbortController().signal };
  return withCluster({ ...options, timeout }, caller, 'listing APIServices', async (cluster, signal) => {
    const found = await listObjects(cluster, { resource: resources.APIService }, signal);
    return found
      .map(viewApiService)
      .filter(({ name }) => apiServiceNamePattern.test(name))
      .map((view) => ({ value: view.name, description: summary(view) }));
  });
}

function summary({ service, available }: ApiServiceView): string {
  const server = service ? `Service ${service.namespace}/${service.name}` : 'kube-apiserver';
  return available && available.status !== 'True' ? `${server}, not Available: ${available.reason}` : server;
}
