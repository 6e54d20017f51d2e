import { connect } from '../cluster/cluster.ts';
import { loadKubeConfig } from '../cluster/kubeconfig.ts';
import { listObjects } from '../cluster/objects.ts';
import { resources } from '../cluster/resources.ts';
import type { KubeObject } from '../manifests/types.ts';
import { listPods } from '../snapshot/collect/pods.ts';
import { containersOf } from '../snapshot/server-flags.ts';
import { textOf, viewService } from '../snapshot/views.ts';
import type { Terminal } from './terminal.ts';

/** A Service in the current cluster, with what is known of the server behind it. */
export interface RunningService {
  readonly context: string;
  readonly name: string;
  readonly namespace: string;
  /** The image of its pods, if all have one container with the same image. */
  readonly image: string | undefined;
}

/** Longer than this, a suggestion is not worth the wait. */
const timeoutMs = 1_500;

/**
 * Finds the only Service of this name in the current cluster, to suggest answers. Every failure
 * means that nothing is suggested: no cluster, no access, no answer in time. Credentials that need
 * a program count as a failure too, because it may ask for a login.
 * @throws the reason of `interrupt`
 */
export async function findRunning(
  name: string,
  { env, interrupt }: Pick<Terminal, 'env' | 'interrupt'>,
): Promise<RunningService | undefined> {
  const signal = AbortSignal.any([interrupt, AbortSignal.timeout(timeoutMs)]);
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
    const { selector: matchLabels } = viewService(service);
    const hasSelector = Object.keys(matchLabels).length > 0;
    const pods = hasSelector ? await listPods(cluster, { namespace, selector: { matchLabels } }, signal) : [];
    return { context: cluster.context, name, namespace, image: onlyImage(pods) };
  } finally {
    cluster.close();
  }
}

function onlyImage(pods: readonly KubeObject[]): string | undefined {
  const containers = pods.map(containersOf);
  const images = new Set(containers.flat().map(({ image }) => textOf(image)));
  return images.size === 1 && containers.every(({ length }) => length === 1) ? [...images][0] : undefined;
}
