import { setupReasons, tellingLine } from '../snapshot/pod-view.ts';
import type { ContainerView, Ended, PodView } from '../snapshot/types.ts';
import type { Code } from './catalog.ts';

/** What keeps a pod from serving. Where it only needs time there is none. */
export interface PodTrouble {
  readonly kind: 'crashing' | 'image' | 'cannot-start' | 'unschedulable' | 'node' | 'gate' | 'not-ready' | 'terminating';
  readonly pod: string;
  readonly container: string | undefined;
  /** Of the pod; where it is on one. */
  readonly node: string | undefined;
  /** Whether the container has a log from before its last restart. */
  readonly restarted: boolean;
  /** What was seen, one fact each: reasons, exit codes, the words of events, the last line of a log. */
  readonly evidence: readonly string[];
  /** The last words of a container that has ended of its own accord; none of one that was killed, whatever it spoke of before. */
  readonly said: readonly string[];
}

/** What a server made with k8s.io/apiserver, or OpenSSL, says of what keeps it from starting, by the finding that is the cause. */
export const crashCauses = {
  'auth/reader-missing': /extension-apiserver-authentication\b.{0,20} is forbidden/,
  'auth/requestheader-missing': /extension-apiserver-authentication\b.{0,20} not found|missing content for CA bundle/,
  // crypto/tls, X509KeyPair.
  'security/key-mismatch': /private key (?:type )?does not match public key|key values mismatch/,
  'cert/secret-unreadable': /in certificate input|x509: malformed|no start line|open \S+\.(?:crt|pem|cert): no such file/,
} as const satisfies Readonly<Partial<Record<Code, RegExp>>>;

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

/** How a container ends of which nobody knows how it did, as when its node went down (containerd; pkg/kubelet/container/runtime.go). */
const endUnknown = ['Unknown', 'ContainerStatusUnknown'];

/** What has run for so long does not crash: then kubelet forgets the back-off (k8s.io/client-go/util/flowcontrol/backoff.go, hasExpired: twice MaxContainerBackOff). */
const stableMs = 600_000;

/** kubelet needs a while to end a pod when its grace period is over. */
const endingMs = 30_000;

/**
 * Says what keeps a pod from serving: the one judge of pods, for the checks of verify and for the patience of register. Pure.
 * @returns undefined for a pod that is ready, that still starts or ends as it should, or that has ended: its controller makes another one
 */
export function troubleOf(pod: PodView, now: Date): PodTrouble | undefined {
  if (pod.deleting) return isOverdue(pod, now) ? trouble(pod, 'terminating', [`should have been gone by ${pod.goneBy}`]) : undefined;
  if (pod.ready || hasEnded(pod)) return undefined;
  if (pod.unscheduled !== undefined) return trouble(pod, 'unschedulable', [shown(pod.unscheduled)]);
  for (const container of mostTellingFirst(pod.containers)) {
    const kind = containerTrouble(container, now);
    if (kind) return trouble(pod, kind, containerEvidence(pod, container, kind), container);
  }
  return isWaiting(pod) ? setupTrouble(pod) : unreadyTrouble(pod);
}

const trouble = (pod: PodView, kind: PodTrouble['kind'], evidence: readonly string[], container?: ContainerView): PodTrouble => ({
  kind,
  pod: pod.name,
  container: container?.name,
  node: pod.node,
  restarted: container?.before !== undefined,
  evidence,
  said: container ? lastWords(pod, container) : [],
});

const isOverdue = ({ goneBy }: PodView, now: Date): boolean => goneBy !== undefined && now.getTime() - Date.parse(goneBy) > endingMs;

/** What runs may be well; and what others in the pod depend on ends first, and so most often. */
const mostTellingFirst = (containers: readonly ContainerView[]): readonly ContainerView[] =>
  containers.toSorted(
    (one, other) => Number(one.state.kind === 'running') - Number(other.state.kind === 'running') || other.restarts - one.restarts,
  );

const isWaiting = ({ containers }: PodView): boolean => containers.length === 0 || containers.some(({ state }) => state.kind === 'waiting');

function setupTrouble(pod: PodView): PodTrouble | undefined {
  const setup = pod.prepared ? [] : eventsOf(pod, setupReasons);
  return setup.length > 0 ? trouble(pod, 'cannot-start', setup) : undefined;
}

/** Trouble of a pod all of whose containers run. */
function unreadyTrouble(pod: PodView): PodTrouble {
  const { containers, unready, node } = pod;
  const probed = containers.find(({ ready, init }) => !ready && !init);
  if (probed || !unready) return trouble(pod, 'not-ready', probeEvidence(pod, probed), probed);
  // k8s.io/kubernetes/pkg/kubelet/status/generate.go, GeneratePodReadyCondition.
  if (unready.reason === 'ReadinessGatesNotReady') return trouble(pod, 'gate', [shown(unready.message)]);
  // Not the word of kubelet, which has fallen silent: pkg/controller/util/node/controller_utils.go, MarkPodsNotReady.
  return trouble(pod, 'node', [
    `not ready, though all of its containers were when node ${node} last spoke`,
    ...eventsOf(pod, ['NodeNotReady']),
  ]);
}

/** Before the first probe has failed there is nothing to tell: the pod starts. */
function probeEvidence(pod: PodView, container: ContainerView | undefined): readonly string[] {
  const events = eventsOf(pod, ['NodeNotReady', 'Unhealthy']);
  if (events.length === 0 || !container) return events;
  const { name, readinessProbe } = container;
  return [...events, ...(readinessProbe ? [`readiness probe of ${name}: ${shown(readinessProbe)}`] : []), ...lastLogLineOf(pod, name)];
}

function lastLogLineOf({ lastLogLine }: PodView, container: string): readonly string[] {
  const line = lastLogLine.state === 'seen' ? lastLogLine.value : '';
  return line === '' ? [] : [`last log line of ${container}: ${shown(line)}`];
}

/** Of a pod that has ended nothing more is to be expected: evicted, or meant to run once. */
export const hasEnded = ({ phase }: PodView): boolean => phase === 'Succeeded' || phase === 'Failed';

function containerTrouble({ state, before, ready, init }: ContainerView, now: Date): PodTrouble['kind'] | undefined {
  switch (state.kind) {
    case 'waiting':
      if (imageReasons.includes(state.reason)) return 'image';
      if (startReasons.includes(state.reason)) return 'cannot-start';
      return before && state.reason === 'CrashLoopBackOff' ? kindOfEnd(before) : undefined;
    case 'ended':
      return init && state.exitCode === 0 ? undefined : kindOfEnd(state);
    case 'running':
      // Between two crashes it runs for a moment.
      if (ready || !before || (init && before.exitCode === 0) || endUnknown.includes(before.reason)) return undefined;
      return now.getTime() - Date.parse(state.startedAt) > stableMs ? undefined : kindOfEnd(before);
  }
}

const kindOfEnd = ({ reason }: Ended): PodTrouble['kind'] => (neverStarted.includes(reason) ? 'cannot-start' : 'crashing');

function containerEvidence(pod: PodView, { name, state, before, restarts }: ContainerView, kind: PodTrouble['kind']): string[] {
  const end = state.kind === 'ended' ? state : before;
  if (end && (kind === 'crashing' || state.kind !== 'waiting' || state.reason === 'CrashLoopBackOff')) {
    const { exitCode, reason, message } = end;
    return [
      `container ${name}: exit code ${exitCode} (${reason}), ${restarts} ${restarts === 1 ? 'restart' : 'restarts'}`,
      ...(message.trim() === '' ? [] : [`container ${name}: ${shown(message)}`]),
      ...(kind === 'crashing' ? lastLogLineOf(pod, name) : []),
      // Ended by kubelet, perhaps, since a probe failed: of its own accord a server ends with a code between.
      ...(exitCode === 0 || exitCode > 128 ? eventsOf(pod, ['Unhealthy']) : []),
    ];
  }
  const { reason, message } = state.kind === 'waiting' ? state : { reason: '', message: '' };
  return [`container ${name}: ${reason}${message === '' ? '' : `: ${shown(message)}`}`];
}

/** kubelet kills with SIGKILL, of its own or for want of memory; a message may be left from before. */
function lastWords({ lastLogLine }: PodView, { state, before }: ContainerView): readonly string[] {
  const end = state.kind === 'ended' ? state : before;
  if (!end || end.reason === 'OOMKilled' || end.exitCode === 137) return [];
  return [end.message, lastLogLine.state === 'seen' ? lastLogLine.value : ''].filter((line) => line !== '');
}

const eventsOf = ({ events }: PodView, reasons: readonly string[]): string[] =>
  (events.state === 'seen' ? events.value : [])
    .filter(({ reason }) => reasons.includes(reason))
    .map(({ reason, message }) => `${reason}: ${shown(message)}`);

const wordLimit = 500;

/** One line of what somebody else says. */
function shown(text: string): string {
  const line = tellingLine(text.trim().split('\n'));
  return line.length > wordLimit ? `${line.slice(0, wordLimit)}...` : line;
}

/** The command that shows the log of a container that crashes. Before its first restart there is none of an earlier run. */
export const logCommand = (namespace: string, { pod, container, restarted }: PodTrouble): string =>
  `kubectl -n ${namespace} logs ${pod} -c ${container}${restarted ? ' --previous' : ''}`;
