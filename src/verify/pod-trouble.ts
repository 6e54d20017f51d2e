import type { ContainerView, Ended, PodView } from './types.ts';

/** What keeps a pod from serving. Where it only needs time there is none. */
export interface PodTrouble {
  readonly kind: 'crashing' | 'image' | 'cannot-start' | 'unschedulable' | 'not-ready';
  readonly pod: string;
  readonly container: string | undefined;
  /** What was seen, one fact each: reasons, exit codes, the words of events, the last line of a log. */
  readonly evidence: readonly string[];
}

/** Why kubelet can't get an image (k8s.io/kubernetes/pkg/kubelet/images/types.go, k8s.io/cri-api/pkg/errors/errors.go). */
const imageReasons = [
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'ImageInspectError',
  'InvalidImageName',
  'RegistryUnavailable',
  'SignatureValidationFailed',
];

/** Why it can't start a container (pkg/kubelet/kuberuntime/kuberuntime_container.go, pkg/kubelet/container/sync_result.go). */
const startReasons = [
  'CreateContainerConfigError',
  'CreateContainerError',
  'PreCreateHookError',
  'PreStartHookError',
  'RunContainerError',
  'PostStartHookError',
];

/** How a container ends that containerd or another runtime could not start. */
const neverStarted = ['StartError', 'ContainerCannotRun'];

/** Events that say why a pod has no containers yet (pkg/kubelet/events/event.go). */
const setupReasons = ['FailedMount', 'FailedAttachVolume', 'FailedMapVolume', 'FailedCreatePodSandBox', 'FailedPrepareDynamicResources'];

/**
 * Says what keeps a pod from serving: the one judge of pods, for the checks of verify and for the patience of register. Pure.
 * @returns undefined for a pod that is ready, that still starts as it should, or that has ended: its controller makes another one
 */
export function troubleOf(pod: PodView): PodTrouble | undefined {
  if (pod.ready || pod.deleting || hasEnded(pod)) return undefined;
  const { name, unscheduled, containers } = pod;
  if (unscheduled !== undefined) {
    return { kind: 'unschedulable', pod: name, container: undefined, evidence: [shown(unscheduled)] };
  }
  // What others in the pod depend on ends first, and so most often.
  const byRestarts = containers.toSorted((one, other) => other.restarts - one.restarts);
  for (const container of byRestarts) {
    const kind = containerTrouble(container);
    if (kind) return { kind, pod: name, container: container.name, evidence: containerEvidence(pod, container, kind) };
  }
  const setup = eventsOf(pod, setupReasons);
  const waiting = containers.length === 0 || containers.some(({ state }) => state.kind === 'waiting');
  if (waiting) return setup.length > 0 ? { kind: 'cannot-start', pod: name, container: undefined, evidence: setup } : undefined;
  const unready = containers.find(({ ready, init }) => !ready && !init);
  return { kind: 'not-ready', pod: name, container: unready?.name, evidence: eventsOf(pod, ['Unhealthy']) };
}

/** Of a pod that has ended nothing more is to be expected: evicted, or meant to run once. */
export const hasEnded = ({ phase }: PodView): boolean => phase === 'Succeeded' || phase === 'Failed';

function containerTrouble({ state, before, ready, init }: ContainerView): PodTrouble['kind'] | undefined {
  switch (state.kind) {
    case 'waiting':
      if (imageReasons.includes(state.reason)) return 'image';
      if (startReasons.includes(state.reason)) return 'cannot-start';
      return before && state.reason === 'CrashLoopBackOff' ? kindOfEnd(before) : undefined;
    case 'ended':
      return init && state.exitCode === 0 ? undefined : kindOfEnd(state);
    case 'running':
      // Between two crashes it runs for a moment.
      return ready || !before || (init && before.exitCode === 0) ? undefined : kindOfEnd(before);
  }
}

const kindOfEnd = ({ reason }: Ended): PodTrouble['kind'] => (neverStarted.includes(reason) ? 'cannot-start' : 'crashing');

function containerEvidence(pod: PodView, { name, state, before, restarts }: ContainerView, kind: PodTrouble['kind']): string[] {
  const end = state.kind === 'ended' ? state : before;
  if (end && (kind === 'crashing' || state.kind !== 'waiting' || state.reason === 'CrashLoopBackOff')) {
    const { exitCode, reason, message } = end;
    const line = pod.lastLogLine.state === 'seen' ? pod.lastLogLine.value : '';
    return [
      `container ${name}: exit code ${exitCode} (${reason}), ${restarts} ${restarts === 1 ? 'restart' : 'restarts'}`,
      ...(message.trim() === '' ? [] : [`container ${name}: ${shown(message)}`]),
      ...(kind === 'crashing' && line !== '' ? [`last log line of ${name}: ${shown(line)}`] : []),
      // Ended by kubelet, perhaps, since a probe failed: of its own accord a server ends with a code between.
      ...(exitCode === 0 || exitCode > 128 ? eventsOf(pod, ['Unhealthy']) : []),
    ];
  }
  const { reason, message } = state.kind === 'waiting' ? state : { reason: '', message: '' };
  return [`container ${name}: ${reason}${message === '' ? '' : `: ${shown(message)}`}`];
}

const eventsOf = ({ events }: PodView, reasons: readonly string[]): string[] =>
  (events.state === 'seen' ? events.value : [])
    .filter(({ reason }) => reasons.includes(reason))
    .map(({ reason, message }) => `${reason}: ${shown(message)}`);

const wordLimit = 500;

/** One line of what somebody else says: a termination message may be the end of a log, of which the last line says most. */
function shown(text: string): string {
  const line = text.trim().split('\n').at(-1) ?? '';
  return line.length > wordLimit ? `${line.slice(0, wordLimit)}...` : line;
}
