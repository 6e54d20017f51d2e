import { setTimeout as sleep } from 'node:timers/promises';
import { ApisvcError } from '../../errors.ts';
import type { ContainerStart, Program, RunningContainer } from '../shared/program.ts';
import type { NodeContext } from './controller.ts';
import { watchHealth } from './health.ts';
import { createLog } from './log.ts';
import { returnPort, takePort } from './ports.ts';
import type { ContainerOnNode, Json } from './registry.ts';

/** A kubelet waits 10 s before the second restart and 5 minutes at most (pkg/kubelet/kubelet.go, MaxContainerBackOff); who mends a server does not want to wait so long. */
const firstPauseMs = 1_000;
const longestPauseMs = 30_000;
/** What ran for so long begins anew with the shortest pause. */
const stableMs = 2 * longestPauseMs;

/** One container of a pod, and what the pod gives it. */
export interface ContainerRun {
  readonly pod: Json;
  /** Of the pod's specification. */
  readonly spec: Json;
  readonly program: Program;
  readonly container: ContainerOnNode;
  /** What it is started with but for port and log. @throws Error when something that it names is not there */
  readonly prepare: () => Promise<Omit<ContainerStart, 'port' | 'declaredPort' | 'log'>>;
  /** After every change of `container`. */
  readonly changed: () => void;
  readonly signal: AbortSignal;
}

/** Runs a container again and again, as the pods of Deployments want it (restartPolicy Always), until the signal ends it. */
export async function keepContainer(node: NodeContext, run: ContainerRun): Promise<void> {
  const { container, signal, changed, pod } = run;
  const whose = { namespace: pod.metadata.namespace, pod: pod.metadata.name, container: container.name };
  let pauseMs = firstPauseMs;
  while (!signal.aborted) {
    const ended = await runOnce(node, run, whose);
    if (signal.aborted) return;
    if (ended && ended.finishedAt.getTime() - ended.startedAt.getTime() > stableMs) pauseMs = firstPauseMs;
    if (ended) {
      container.state = {
        kind: 'waiting',
        reason: 'CrashLoopBackOff',
        message: `back-off ${pauseMs / 1000}s restarting failed container=${container.name}`,
      };
      node.onEvent({ kind: 'ended', ...whose, exitCode: ended.exitCode, againInMs: pauseMs });
    }
    changed();
    await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => {});
    if (ended) container.restarts++;
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }
}

/** @returns how it ended; undefined when it could not be started */
async function runOnce(node: NodeContext, run: ContainerRun, whose: Whose): Promise<ContainerOnNode['last']> {
  const { container, spec, pod, changed, signal } = run;
  const log = createLog(
    () => new Date(),
    (line) => node.onEvent({ kind: 'log', ...whose, line }),
  );
  const { declaredPort } = container;
  const taken = declaredPort === undefined ? undefined : await takePort(declaredPort);
  try {
    const running = await start(node, run, { declaredPort, port: taken, log: log.write });
    if (!running) return undefined;
    const startedAt = new Date();
    container.port = running.port ?? taken;
    container.state = { kind: 'running', startedAt, log };
    changed();
    node.api.record(pod, 'Normal', 'Started', `Container ${container.name} was started as a process of this machine`);
    node.onEvent({ kind: 'started', ...whose, port: container.port });
    const exitCode = await untilEnded(node, run, { running, whose });
    log.close();
    container.ready = false;
    container.last = { exitCode, startedAt, finishedAt: new Date(), log };
    if (!signal.aborted)
      node.api.record(pod, 'Warning', 'BackOff', `Back-off restarting failed container ${spec.name}: exit code ${exitCode}`);
    return container.last;
  } finally {
    if (taken !== undefined) returnPort(taken);
  }
}

interface Whose {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** @returns undefined when it can't be, which the state of the container then says, in a kubelet's reasons (pkg/kubelet/kuberuntime/kuberuntime_container.go) */
async function start(
  { api }: NodeContext,
  { program, prepare, container, pod, signal }: ContainerRun,
  given: Pick<ContainerStart, 'port' | 'declaredPort' | 'log'>,
): Promise<RunningContainer | undefined> {
  let reason = 'CreateContainerConfigError';
  try {
    const prepared = await prepare();
    reason = 'RunContainerError';
    return await program.start({ ...prepared, ...given });
  } catch (error) {
    if (signal.aborted) return undefined;
    const { message, fix } = error instanceof ApisvcError ? error : { message: String((error as Error).message), fix: undefined };
    container.state = { kind: 'waiting', reason, message: fix === undefined ? message : `${message}. ${fix}` };
    api.record(pod, 'Warning', 'Failed', `Error: ${message}`);
    return undefined;
  }
}

/** Waits until it ends by itself, because a probe wants it to, or because the signal does. @returns its exit code */
async function untilEnded(
  { api, podAddress, onEvent }: NodeContext,
  { container, spec, pod, changed, signal }: ContainerRun,
  { running, whose }: { readonly running: RunningContainer; readonly whose: Whose },
): Promise<number> {
  const over = new AbortController();
  const ends = AbortSignal.any([signal, over.signal]);
  const portHere = (port: number): number => (port === container.declaredPort ? container.port : undefined) ?? port;
  const health = watchHealth(spec, {
    target: { address: podAddress, ports: spec.ports ?? [], portHere },
    signal: ends,
    onReady: (ready) => {
      if (container.ready === ready || ends.aborted) return;
      container.ready = ready;
      if (ready) onEvent({ kind: 'ready', ...whose, port: container.port });
      changed();
    },
    onUnhealthy: (words) => ends.aborted || api.record(pod, 'Warning', 'Unhealthy', words),
  });
  const why = await Promise.race([running.ended.then(() => undefined), health.catch(() => undefined)]);
  over.abort();
  if (why !== undefined) api.record(pod, 'Normal', 'Killing', `Container ${spec.name} failed ${why}, will be restarted`);
  await running.stop();
  return running.ended;
}
