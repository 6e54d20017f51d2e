import { setTimeout as sleep } from 'node:timers/promises';
import { isFull } from '../../config/file-errors.ts';
import { ApisvcError } from '../../errors.ts';
import { plainMessage } from '../shared/file-faults.ts';
import type { ContainerStart, Program, RunningContainer } from '../shared/program.ts';
import type { NodeContext } from './controller.ts';
import { watchHealth } from './health.ts';
import { createLog } from './log.ts';
import { returnPort, takePort } from './ports.ts';
import type { ContainerOnNode, Json } from './registry.ts';

/** The kubelet backs off from 10 s to 5 min (MaxContainerBackOff): too long for a rehearsal. */
const firstPauseMs = 1_000;
const longestPauseMs = 30_000;
/** A run of this length resets the back-off. */
const stableMs = 2 * longestPauseMs;

/** One container of a pod. */
export interface ContainerRun {
  readonly pod: Json;
  /** The container in the specification of the pod. */
  readonly spec: Json;
  readonly program: Program;
  readonly container: ContainerOnNode;
  /** @throws Error that names a missing object */
  readonly prepare: () => Promise<Omit<ContainerStart, 'port' | 'declaredPort' | 'log'>>;
  /** Called after every change of `container`. */
  readonly onChange: () => void;
}

/** Runs a container with restartPolicy Always until the signal of the node aborts. */
export async function runContainer(node: NodeContext, run: ContainerRun): Promise<void> {
  const { signal } = node;
  const { container, onChange } = run;
  let pauseMs = firstPauseMs;
  while (!signal.aborted) {
    const ended = await runOnce(node, run);
    if (signal.aborted) return;
    if (ended && ended.finishedAt.getTime() - ended.startedAt.getTime() > stableMs) pauseMs = firstPauseMs;
    if (ended) {
      container.state = {
        kind: 'waiting',
        reason: 'CrashLoopBackOff',
        message: `back-off ${pauseMs / 1000}s restarting failed container=${container.name}`,
      };
      node.onEvent({ kind: 'ended', container: container.name, exitCode: ended.exitCode, againInMs: pauseMs });
    }
    onChange();
    await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => {});
    if (ended) container.restarts++;
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }
}

/** @returns undefined when it could not be started */
async function runOnce(node: NodeContext, run: ContainerRun): Promise<ContainerOnNode['last']> {
  const { container, onChange } = run;
  const { name, declaredPort } = container;
  const log = createLog((line) => node.onEvent({ kind: 'log', container: name, line }));
  const taken = declaredPort === undefined ? undefined : await takePort(declaredPort);
  try {
    const running = await start(node, run, { declaredPort, port: taken, log: log.write });
    if (!running) return undefined;
    const startedAt = new Date();
    container.port = running.port ?? taken;
    container.state = { kind: 'running', startedAt, log };
    onChange();
    node.onEvent({ kind: 'started', container: name, port: container.port });
    const exitCode = await waitForEnd(node, run, running);
    log.close();
    container.ready = false;
    container.last = { exitCode, startedAt, finishedAt: new Date(), log };
    return container.last;
  } finally {
    if (taken !== undefined) returnPort(taken);
  }
}

/**
 * @returns undefined when it fails; the state of the container then has the kubelet's reason
 * (pkg/kubelet/kuberuntime/kuberuntime_container.go)
 */
async function start(
  { signal, onError }: NodeContext,
  { program, prepare, container }: ContainerRun,
  given: Pick<ContainerStart, 'port' | 'declaredPort' | 'log'>,
): Promise<RunningContainer | undefined> {
  let reason = 'CreateContainerConfigError';
  try {
    const prepared = await prepare();
    reason = 'RunContainerError';
    return await program.start({ ...prepared, ...given });
  } catch (error) {
    if (signal.aborted) return undefined;
    if (isFull(error)) onError(error);
    const message = plainMessage(error);
    const fix = error instanceof ApisvcError ? error.fix : undefined;
    container.state = { kind: 'waiting', reason, message: fix === undefined ? message : `${message}. ${fix}` };
    return undefined;
  }
}

/** Waits until it exits, a probe fails, or the signal aborts; ends it. @returns its exit code */
async function waitForEnd(
  { api, podAddress, onEvent, signal }: NodeContext,
  { container, spec, pod, onChange }: ContainerRun,
  running: RunningContainer,
): Promise<number> {
  const over = new AbortController();
  const ends = AbortSignal.any([signal, over.signal]);
  const localPort = (port: number): number => (port === container.declaredPort ? container.port : undefined) ?? port;
  const unhealthy = watchHealth(spec, {
    target: { address: podAddress, ports: spec.ports ?? [], localPort },
    signal: ends,
    onReady: (ready) => {
      if (container.ready === ready || ends.aborted) return;
      container.ready = ready;
      if (ready) onEvent({ kind: 'ready', container: container.name });
      onChange();
    },
    onUnhealthy: (message) => ends.aborted || api.warn(pod, 'Unhealthy', message),
  });
  await Promise.race([running.ended, unhealthy.catch(() => undefined)]);
  over.abort();
  await running.stop();
  return running.ended;
}
