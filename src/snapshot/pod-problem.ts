import { lastMessageLine } from '../cluster/last-message.ts';
import { counted } from '../config/counted.ts';
import { seen } from './observed.ts';
import { setupReasons } from './pod-view.ts';
import type { ContainerView, Ended, PodView } from './types.ts';

/** Why a pod does not serve. A pod that only needs more time has no problem. */
export interface PodProblem {
  readonly kind: 'crashing' | 'image' | 'cannot-start' | 'unschedulable' | 'node' | 'gate' | 'not-ready' | 'terminating';
  readonly pod: string;
  readonly container: string | undefined;
  /** The node of the pod. Undefined before it is scheduled. */
  readonly node: string | undefined;
  /** Whether the container has a log from before its last restart. */
  readonly restarted: boolean;
  /**
   * One observed fact each: a reason, an exit code, the message of an event, the last line of a
   * log.
   */
  readonly evidence: readonly string[];
  /**
   * The last messages of a container that exited by itself. Empty for one that was killed: what it
   * printed before has nothing to do with that.
   */
  readonly said: readonly string[];
}

/**
 * Why the kubelet fails to pull an image (k8s.io/kubernetes/pkg/kubelet/images/types.go,
 * k8s.io/cri-api/pkg/errors/errors.go).
 */
const imageReasons = [
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'ImageInspectError',
  'InvalidImageName',
  'RegistryUnavailable',
  'SignatureValidationFailed',
];

/**
 * Why the kubelet fails to start a container (pkg/kubelet/kuberuntime/kuberuntime_container.go,
 * pkg/kubelet/container/sync_result.go).
 */
const startReasons = [
  'CreateContainerConfigError',
  'CreateContainerError',
  'PreCreateHookError',
  'PreStartHookError',
  'RunContainerError',
  'PostStartHookError',
];

/** Termination reasons of a container that the container runtime failed to start. */
const neverStarted = ['StartError', 'ContainerCannotRun'];

/**
 * Termination reasons that say nothing about the container, for example after its node went down
 * (containerd; pkg/kubelet/container/runtime.go).
 */
const endUnknown = ['Unknown', 'ContainerStatusUnknown'];

/**
 * A container that runs this long is stable: the kubelet resets its back-off
 * (k8s.io/client-go/util/flowcontrol/backoff.go, hasExpired: twice MaxContainerBackOff).
 */
const stableMs = 600_000;

/** The time that the kubelet needs to remove a pod after its grace period. */
const endingMs = 30_000;

/**
 * Finds out why a pod does not serve. The checks of verify and the rollout of register both use it.
 * @returns undefined for a pod that is ready, that starts or terminates normally, or that has
 * finished: its controller creates another one
 */
export function problemOf(pod: PodView, now: Date): PodProblem | undefined {
  if (pod.deleting)
    return isOverdue(pod, now)
      ? problem(pod, 'terminating', [`still exists, although its grace period ended at ${pod.goneBy}`])
      : undefined;
  if (pod.ready || hasEnded(pod)) return undefined;
  if (pod.unscheduled !== undefined) return problem(pod, 'unschedulable', [shown(pod.unscheduled)]);
  for (const container of likelyCausesFirst(pod.containers)) {
    const kind = containerProblem(container, now);
    if (kind) return problem(pod, kind, containerEvidence(pod, container, kind), container);
  }
  return isWaiting(pod) ? setupProblem(pod) : unreadyProblem(pod);
}

const problem = (pod: PodView, kind: PodProblem['kind'], evidence: readonly string[], container?: ContainerView): PodProblem => ({
  kind,
  pod: pod.name,
  container: container?.name,
  node: pod.node,
  restarted: container?.before !== undefined,
  evidence,
  said: container ? lastMessages(pod, container) : [],
});

const isOverdue = ({ goneBy }: PodView, now: Date): boolean => goneBy !== undefined && now.getTime() - Date.parse(goneBy) > endingMs;

/**
 * Containers that do not run first, then those with the most restarts: a container on which others
 * depend fails first.
 */
const likelyCausesFirst = (containers: readonly ContainerView[]): readonly ContainerView[] =>
  containers.toSorted(
    (one, other) => Number(one.state.kind === 'running') - Number(other.state.kind === 'running') || other.restarts - one.restarts,
  );

const isWaiting = ({ containers }: PodView): boolean => containers.length === 0 || containers.some(({ state }) => state.kind === 'waiting');

function setupProblem(pod: PodView): PodProblem | undefined {
  const setup = pod.prepared ? [] : eventsOf(pod, setupReasons);
  return setup.length > 0 ? problem(pod, 'cannot-start', setup) : undefined;
}

/** The problem of a pod whose containers all run. */
function unreadyProblem(pod: PodView): PodProblem {
  const { containers, unready, node } = pod;
  const probed = containers.find(({ ready, init }) => !ready && !init);
  if (probed || !unready) return problem(pod, 'not-ready', probeEvidence(pod, probed), probed);
  // k8s.io/kubernetes/pkg/kubelet/status/generate.go, GeneratePodReadyCondition.
  if (unready.reason === 'ReadinessGatesNotReady') return problem(pod, 'gate', [shown(unready.message)]);
  // The node controller set the condition, because the kubelet stopped reporting
  // (pkg/controller/util/node/controller_utils.go, MarkPodsNotReady).
  return problem(pod, 'node', [
    `not ready, although all containers were ready when node ${node} last reported`,
    ...eventsOf(pod, ['NodeNotReady']),
  ]);
}

/** Empty before the first probe has failed: the pod is still starting. */
function probeEvidence(pod: PodView, container: ContainerView | undefined): readonly string[] {
  const events = eventsOf(pod, ['NodeNotReady', 'Unhealthy']);
  if (events.length === 0 || !container) return events;
  const { name, readinessProbe } = container;
  return [...events, ...(readinessProbe ? [`readiness probe of ${name}: ${shown(readinessProbe)}`] : []), ...lastLogLineOf(pod, name)];
}

function lastLogLineOf({ lastLogLine }: PodView, container: string): readonly string[] {
  const line = seen(lastLogLine) ?? '';
  return line === '' ? [] : [`last log line of ${container}: ${shown(line)}`];
}

/** Whether a pod has finished for good: evicted, or meant to run once. */
export const hasEnded = ({ phase }: PodView): boolean => phase === 'Succeeded' || phase === 'Failed';

function containerProblem({ state, before, ready, init }: ContainerView, now: Date): PodProblem['kind'] | undefined {
  switch (state.kind) {
    case 'waiting':
      if (imageReasons.includes(state.reason)) return 'image';
      if (startReasons.includes(state.reason)) return 'cannot-start';
      return before && state.reason === 'CrashLoopBackOff' ? kindOfEnd(before) : undefined;
    case 'ended':
      return init && state.exitCode === 0 ? undefined : kindOfEnd(state);
    case 'running':
      // A crashing container runs for a moment between two crashes.
      if (ready || !before || (init && before.exitCode === 0) || endUnknown.includes(before.reason)) return undefined;
      return now.getTime() - Date.parse(state.startedAt) > stableMs ? undefined : kindOfEnd(before);
  }
}

const kindOfEnd = ({ reason }: Ended): PodProblem['kind'] => (neverStarted.includes(reason) ? 'cannot-start' : 'crashing');

function containerEvidence(pod: PodView, { name, state, before, restarts }: ContainerView, kind: PodProblem['kind']): string[] {
  const end = state.kind === 'ended' ? state : before;
  if (end && (kind === 'crashing' || state.kind !== 'waiting' || state.reason === 'CrashLoopBackOff')) {
    const { exitCode, reason, message } = end;
    return [
      `container ${name}: exit code ${exitCode} (${reason}), ${counted(restarts, 'restart')}`,
      ...messagesOf(pod, name, message, kind),
      // Exit code 0 or above 128 may mean that the kubelet stopped it because a liveness probe
      // failed.
      ...(exitCode === 0 || exitCode > 128 ? eventsOf(pod, ['Unhealthy']) : []),
    ];
  }
  const { reason, message } = state.kind === 'waiting' ? state : { reason: '', message: '' };
  return [`container ${name}: ${reason}${message === '' ? '' : `: ${shown(message)}`}`];
}

/**
 * The termination message and the last log line. They are the same with
 * `terminationMessagePolicy: FallbackToLogsOnError`.
 */
function messagesOf(pod: PodView, container: string, message: string, kind: PodProblem['kind']): readonly string[] {
  const logged = kind === 'crashing' ? lastLogLineOf(pod, container) : [];
  if (message.trim() === '' || logged.some((line) => line.endsWith(`: ${shown(message)}`))) return logged;
  return [`container ${container}: ${shown(message)}`, ...logged];
}

/**
 * Empty after SIGKILL (out of memory, or a failed liveness probe): the message may be older than
 * that.
 */
function lastMessages({ lastLogLine }: PodView, { state, before }: ContainerView): readonly string[] {
  const end = state.kind === 'ended' ? state : before;
  if (!end || end.reason === 'OOMKilled' || end.exitCode === 137) return [];
  return [end.message, seen(lastLogLine) ?? ''].filter((line) => line !== '');
}

const eventsOf = ({ events }: PodView, reasons: readonly string[]): string[] =>
  (seen(events) ?? []).filter(({ reason }) => reasons.includes(reason)).map(({ reason, message }) => `${reason}: ${shown(message)}`);

const maxLineLength = 500;

/** The most informative line of a text from elsewhere, shortened. */
function shown(text: string): string {
  const line = lastMessageLine(text.trim().split('\n'));
  return line.length > maxLineLength ? `${line.slice(0, maxLineLength)}...` : line;
}

/** The command that shows the log of a container: of its previous run, where there is one. */
export const logCommand = (namespace: string, { pod, container, restarted }: PodProblem): string =>
  `kubectl -n ${namespace} logs ${pod} -c ${container}${restarted ? ' --previous' : ''}`;
