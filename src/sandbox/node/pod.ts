import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerStart, Program } from '../shared/program.ts';
import { keepContainer } from './container.ts';
import type { NodeContext } from './controller.ts';
import { environmentOf, expanded, withMounts } from './environment.ts';
import { mountAll, mountsOf, writePodKubeconfig } from './mounting.ts';
import { imageMissing, notRun, podStatus } from './pod-status.ts';
import type { ContainerOnNode, Json } from './registry.ts';
import { statusWriter } from './status-writer.ts';

/** A pod that the node looks after. */
export interface RunningPod {
  /** Ends its containers, removes what they mounted, and waits until that is done. */
  end(): Promise<void>;
}

/** Brings a pod up and keeps it up, as a kubelet does. Nothing here throws: what can't be done is in the pod's status and Events. */
export function runPod(node: NodeContext, pod: Json): RunningPod {
  const ending = new AbortController();
  const signal = AbortSignal.any([node.signal, ending.signal]);
  const live = keepPod({ ...node, signal }, pod).catch((error: unknown) => signal.aborted || node.onError(error));
  return {
    end: async () => {
      ending.abort();
      await live;
    },
  };
}

async function keepPod(node: NodeContext, pod: Json): Promise<void> {
  const { uid } = pod.metadata;
  const folder = join(node.stateDir, 'pods', uid);
  const chosen: Chosen[] = pod.spec.containers.map((spec: Json) => choose(node, pod, spec));
  const containers = chosen.map(({ container }) => container);
  const progress = { object: pod, containers, address: node.podAddress, startedAt: new Date(), mounted: false };
  const status = statusWriter(node, pod, (before) => podStatus(progress, before, new Date()));
  node.pods.set(uid, progress);
  try {
    status.changed();
    tellWhatIsNotRun(node, pod, containers);
    if (!containers.some(({ runs }) => runs)) return await untilAborted(node.signal);
    const { kept } = await mountAll(node, pod, folder);
    progress.mounted = true;
    await Promise.all([
      kept,
      ...chosen.map(async ({ spec, container, program }) => {
        const prepare = (): Promise<Prepared> => prepared(node, pod, { spec, folder, status: podStatus(progress, [], new Date()) });
        if (program) await keepContainer(node, { pod, spec, program, container, prepare, changed: status.changed, signal: node.signal });
      }),
    ]);
  } finally {
    node.pods.delete(uid);
    await status.idle();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

interface Chosen {
  readonly spec: Json;
  readonly container: ContainerOnNode;
  readonly program: Program | undefined;
}

function choose({ programOf }: NodeContext, pod: Json, spec: Json): Chosen {
  const program = programOf(pod, spec);
  const others = pod.spec.containers.some((each: Json) => each !== spec && programOf(pod, each));
  const absent = `image "${spec.image}" is not here: apisvc sandbox runs no images`;
  const waiting = others
    ? { reason: notRun, message: `${absent}; the pod is taken for ready without this container` }
    : { reason: imageMissing, message: `${absent}. Run the program of container ${spec.name} in its place: apisvc sandbox -- COMMAND` };
  const container: ContainerOnNode = {
    name: spec.name,
    image: spec.image,
    runs: program !== undefined,
    declaredPort: spec.ports?.find(({ protocol = 'TCP' }: Json) => protocol === 'TCP')?.containerPort,
    port: undefined,
    state: { kind: 'waiting', ...(program ? { reason: 'ContainerCreating' } : waiting) },
    ready: false,
    restarts: 0,
    last: undefined,
  };
  return { spec, container, program };
}

function tellWhatIsNotRun({ api }: NodeContext, pod: Json, containers: readonly ContainerOnNode[]): void {
  for (const { runs, state } of containers) {
    if (!runs && state.kind === 'waiting')
      api.record(pod, state.reason === imageMissing ? 'Warning' : 'Normal', state.reason, state.message ?? '');
  }
  for (const { name } of pod.spec.initContainers ?? []) api.record(pod, 'Normal', notRun, `init container ${name} is skipped`);
}

type Prepared = Omit<ContainerStart, 'port' | 'declaredPort' | 'log'>;

interface Preparing {
  readonly spec: Json;
  readonly folder: string;
  /** Of the pod, for what asks for its address. */
  readonly status: Json;
}

async function prepared(node: NodeContext, pod: Json, { spec, folder, status }: Preparing): Promise<Prepared> {
  const { name, command = [], args = [] } = spec;
  const mounts = mountsOf(spec, folder);
  const env = await environmentOf(node.api, pod, spec, status);
  const placed = (text: string): string => withMounts(expanded(text, env), mounts);
  return {
    namespace: pod.metadata.namespace,
    pod: pod.metadata.name,
    name,
    command: command.map(placed),
    args: args.map(placed),
    env: Object.fromEntries(Object.entries(env).map(([key, value]) => [key, withMounts(value, mounts)])),
    kubeconfig: await writePodKubeconfig(node, pod, folder),
    mounts,
    podAddress: node.podAddress,
  };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
