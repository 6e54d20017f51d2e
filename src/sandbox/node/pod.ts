import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerStart, Program } from '../shared/program.ts';
import { runContainer } from './container.ts';
import type { NodeContext } from './controller.ts';
import { environmentOf, expanded, withMounts } from './environment.ts';
import { mountAll, mountsOf, writePodKubeconfig } from './mounting.ts';
import { imageMissing, notRun, podStatus } from './pod-status.ts';
import type { ContainerOnNode, Json } from './registry.ts';
import { statusWriter } from './status-writer.ts';

export interface RunningPod {
  /** Ends the containers, removes their volumes, and waits until that is done. */
  end(): Promise<void>;
}

/** Runs a pod as a kubelet does. It never throws: the status of the pod has what fails. */
export function startPod(node: NodeContext, pod: Json): RunningPod {
  const ending = new AbortController();
  const signal = AbortSignal.any([node.signal, ending.signal]);
  const done = runPod({ ...node, signal }, pod).catch((error: unknown) => signal.aborted || node.onError(error));
  return {
    end: async () => {
      ending.abort();
      await done;
    },
  };
}

async function runPod(node: NodeContext, pod: Json): Promise<void> {
  const { uid } = pod.metadata;
  const folder = join(node.stateDir, 'pods', uid);
  const specs: Json[] = pod.spec.containers;
  const programs = specs.map((spec) => node.programOf(pod, spec));
  const containers = specs.map((spec, index) => containerOf(spec, programs[index], programs.some(Boolean)));
  const progress = { object: pod, containers, address: node.podAddress, startedAt: new Date(), mounted: false };
  const status = statusWriter(node, pod, (before) => podStatus(progress, before, new Date()));
  node.pods.set(uid, progress);
  try {
    status.changed();
    if (!programs.some(Boolean)) {
      if (!node.signal.aborted) await once(node.signal, 'abort');
      return;
    }
    const { synced } = await mountAll(node, pod, folder);
    progress.mounted = true;
    const runs = specs.map(async (spec, index) => {
      const [program, container] = [programs[index], containers[index]];
      if (!program || !container) return;
      const prepare = (): Promise<Prepared> =>
        prepareContainer(node, { ...pod, status: podStatus(progress, [], new Date()) }, spec, folder);
      await runContainer(node, { pod, spec, program, container, prepare, onChange: status.changed });
    });
    await Promise.all([synced, ...runs]);
  } finally {
    node.pods.delete(uid);
    await status.idle();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** @param othersRun whether the sandbox runs any container of the pod */
function containerOf({ name, image, ports }: Json, program: Program | undefined, othersRun: boolean): ContainerOnNode {
  const absent = `image "${image}" is not available: apisvc sandbox does not run container images`;
  const waiting = othersRun
    ? { reason: notRun, message: `${absent}; the pod runs without this container` }
    : { reason: imageMissing, message: `${absent}. Run the program of container ${name} instead: apisvc sandbox -- COMMAND` };
  return {
    name,
    image,
    runs: program !== undefined,
    declaredPort: ports?.find(({ protocol = 'TCP' }: Json) => protocol === 'TCP')?.containerPort,
    port: undefined,
    state: { kind: 'waiting', ...(program ? { reason: 'ContainerCreating' } : waiting) },
    ready: false,
    restarts: 0,
    last: undefined,
  };
}

type Prepared = Omit<ContainerStart, 'port' | 'declaredPort' | 'log'>;

async function prepareContainer(node: NodeContext, pod: Json, spec: Json, folder: string): Promise<Prepared> {
  const { name, command = [], args = [] } = spec;
  const mounts = mountsOf(spec, folder);
  const env = await environmentOf(node.api, pod, spec);
  const localized = (text: string): string => withMounts(expanded(text, env), mounts);
  return {
    namespace: pod.metadata.namespace,
    pod: pod.metadata.name,
    name,
    command: command.map(localized),
    args: args.map(localized),
    env: Object.fromEntries(Object.entries(env).map(([key, value]) => [key, withMounts(value, mounts)])),
    kubeconfig: await writePodKubeconfig(node, pod, folder),
    mounts,
    podAddress: node.podAddress,
  };
}
