import { connect } from '../cluster/cluster.ts';
import { loadKubeConfig } from '../cluster/kubeconfig.ts';
import { listObjects } from '../cluster/objects.ts';
import { resources } from '../cluster/resources.ts';
import type { KubeObject } from '../manifests/types.ts';
import type { Terminal } from './terminal.ts';

/** What a Service in the current cluster tells of the server behind it. */
export interface RunningService {
  readonly context: string;
  readonly name: string;
  readonly namespace: string;
  /** That of its pods, when they have one container and all the same image. */
  readonly image: string | undefined;
}

/** The longest that a proposal is worth waiting for. */
const patienceMs = 1_500;

/**
 * Looks for the only Service of this name in the cluster that kubectl would use. It serves to propose answers, so whatever stands in the way means that there is none:
 * no cluster, no right to look, no answer in time, or credentials for which a program would have to be started, which might ask for a login.
 * @throws the reason of `interrupt`
 */
export async function findRunning(
  name: string,
  { env, interrupt }: Pick<Terminal, 'env' | 'interrupt'>,
): Promise<RunningService | undefined> {
  const signal = AbortSignal.any([interrupt, AbortSignal.timeout(patienceMs)]);
  try {
    const user = loadKubeConfig({}, env).getCurrentUser();
    return user?.exec || user?.authProvider ? undefined : await lookUp(name, env, signal);
  } catch {
    interrupt.throwIfAborted();
    return undefined;
  }
}

async function lookUp(name: string, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<RunningService | undefined> {
  const cluster = await connect({}, env, signal);
  try {
    const services = await listObjects(cluster, { resource: resources.Service, fieldSelector: `metadata.name=${name}` }, signal);
    const [service] = services;
    const namespace = service?.metadata.namespace;
    if (service === undefined || namespace === undefined || services.length > 1) return undefined;
    const { selector = {} } = service.spec as { readonly selector?: Readonly<Record<string, string>> };
    const labelSelector = Object.entries(selector).map((label) => label.join('='));
    const pods =
      labelSelector.length === 0
        ? []
        : await listObjects(cluster, { resource: resources.Pod, namespace, labelSelector: labelSelector.join(',') }, signal);
    return { context: cluster.context, name, namespace, image: onlyImage(pods) };
  } finally {
    cluster.close();
  }
}

function onlyImage(pods: readonly KubeObject[]): string | undefined {
  const containers = pods.map(({ spec }) => (spec as { readonly containers: readonly { readonly image: string }[] }).containers);
  const images = new Set(containers.flat().map(({ image }) => image));
  return images.size === 1 && containers.every(({ length }) => length === 1) ? [...images][0] : undefined;
}
