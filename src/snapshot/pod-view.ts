import type { KubeObject } from '../manifests/types.ts';
import { redacted } from './redact.ts';
import type { ContainerView, Ended, Observed, PodEvent, PodView } from './types.ts';
import { listOf, textOf } from './views.ts';

// biome-ignore lint/suspicious/noExplicitAny: JSON of a Kubernetes object; every field read below is checked or defaulted.
type Json = any;

const notAsked: Observed<never> = { state: 'unseen', reason: 'skipped', words: 'there was no need for it' };

/** @param object a Pod. @returns what its object says; its events and its log are asked for elsewhere */
export function viewPod({ metadata, spec, status }: KubeObject & Json): PodView {
  const condition = (type: string): Json => listOf(status?.conditions).find((each) => each.type === type);
  const ready = condition('Ready');
  return {
    name: metadata.name,
    uid: textOf(metadata.uid),
    owner: listOf(metadata.ownerReferences).find(({ controller }) => controller === true)?.uid,
    node: spec?.nodeName,
    phase: textOf(status?.phase),
    ready: ready?.status === 'True',
    unready: ready && ready.status !== 'True' ? { reason: textOf(ready.reason), message: textOf(ready.message) } : undefined,
    prepared: condition('PodReadyToStartContainers')?.status === 'True',
    deleting: metadata.deletionTimestamp !== undefined,
    goneBy: metadata.deletionTimestamp,
    unscheduled: unscheduled(condition('PodScheduled')),
    containers: [
      ...listOf(status?.initContainerStatuses).map((each) => viewContainer(each, true)),
      ...listOf(status?.containerStatuses).map((each) => {
        const probe = viewProbe(listOf(spec?.containers).find(({ name }) => name === each.name)?.readinessProbe);
        return { ...viewContainer(each, false), ...(probe === undefined ? {} : { readinessProbe: probe }) };
      }),
    ],
    events: notAsked,
    lastLogLine: notAsked,
  };
}

/** Reasons other than the usual one say that the scheduler did not even look for a node: SchedulingGated, SchedulerError. */
const unscheduled = (scheduled: Json): string | undefined => {
  if (scheduled?.status !== 'False') return undefined;
  const { reason, message } = scheduled;
  return reason === 'Unschedulable' || !reason ? textOf(message) : `${textOf(reason)}: ${textOf(message)}`;
};

function viewContainer({ name, ready, restartCount, state, lastState }: Json, init: boolean): ContainerView {
  const { waiting, running, terminated } = state ?? {};
  return {
    name: textOf(name),
    init,
    ready: ready === true,
    restarts: Number(restartCount ?? 0),
    // "If none of them is specified, the default one is ContainerStateWaiting" (k8s.io/api/core/v1/types.go, ContainerState).
    state: terminated
      ? viewEnd(terminated)
      : running
        ? { kind: 'running', startedAt: textOf(running.startedAt) }
        : { kind: 'waiting', reason: textOf(waiting?.reason), message: redacted(textOf(waiting?.message)) },
    before: lastState?.terminated && viewEnd(lastState.terminated),
  };
}

/** A probe in words (k8s.io/api/core/v1/types.go, ProbeHandler). A command stays unseen: it may hold a password. */
function viewProbe(probe: Json): string | undefined {
  const { httpGet, tcpSocket, grpc, exec } = probe ?? {};
  if (httpGet) return `${textOf(httpGet.scheme) || 'HTTP'} GET ${textOf(httpGet.path) || '/'} at port ${httpGet.port}`;
  if (tcpSocket) return `a connection to port ${tcpSocket.port}`;
  if (grpc) return `gRPC health at port ${grpc.port}`;
  return exec ? 'a command in the container' : undefined;
}

const viewEnd = ({ exitCode, reason, message }: Json): Ended => ({
  kind: 'ended',
  exitCode: Number(exitCode),
  reason: textOf(reason),
  // With terminationMessagePolicy FallbackToLogsOnError it is the end of a log.
  message: redacted(
    tellingLine(
      textOf(message)
        .split('\n')
        .filter((line) => line.trim() !== ''),
    ),
  ),
});

/** What cluster-autoscaler and Karpenter say of a pod for which they add a node. */
const nodeIsComing = ['TriggeredScaleUp', 'Nominated'];

/** Events that say why a pod has no containers yet (k8s.io/kubernetes/pkg/kubelet/events/event.go). */
export const setupReasons = [
  'FailedMount',
  'FailedAttachVolume',
  'FailedMapVolume',
  'FailedCreatePodSandBox',
  'FailedPrepareDynamicResources',
];

/** What kubelet only comes to when the set-up of a pod is done (pkg/kubelet/kuberuntime/kuberuntime_manager.go, SyncPod). */
const afterSetup = ['Pulling', 'Pulled', 'Created', 'Started'];

const eventLimit = 5;

/**
 * The last events of a pod that matter: warnings, and that a node is being added for it. Trouble with the set-up that kubelet has got over is none.
 * @param events of core/v1, in any order
 * @returns the last one of each reason, the oldest first
 */
export function viewEvents(events: readonly (KubeObject & Json)[]): PodEvent[] {
  // Until 1.36 the condition PodReadyToStartContainers only comes true when the images are there (kubernetes/kubernetes#134460); events tell it at once.
  const setUpAt = Math.max(...events.filter(({ reason }) => afterSetup.includes(reason)).map(timeOf));
  const gotOver = (event: Json): boolean => setupReasons.includes(event.reason) && timeOf(event) <= setUpAt;
  const matter = events.filter((event) => (event.type === 'Warning' && !gotOver(event)) || nodeIsComing.includes(event.reason));
  const ordered = matter.toSorted((one, other) => timeOf(one) - timeOf(other));
  const lastOfEach = new Map<string, string>();
  for (const { reason, message } of ordered) {
    lastOfEach.delete(textOf(reason));
    lastOfEach.set(textOf(reason), redacted(textOf(message)));
  }
  return [...lastOfEach].slice(-eventLimit).map(([reason, message]) => ({ reason, message }));
}

/**
 * When an event happened last, in ms. Those that repeat have lastTimestamp, those of the newer API eventTime and, where they repeat, a series
 * (k8s.io/api/core/v1/types.go, Event).
 */
const timeOf = ({ series, lastTimestamp, eventTime, metadata }: Json): number =>
  Date.parse(series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata?.creationTimestamp) || 0;

/** Whether somebody is adding a node for the pod. */
export const awaitsNode = ({ events }: PodView): boolean =>
  events.state === 'seen' && events.value.some(({ reason }) => nodeIsComing.includes(reason));

/** A line of the stacks that a Go program prints below the line that says why it gives up (runtime/panic.go, runtime/traceback.go; k8s.io/klog/v2, Fatal). */
const stackLine = /^(\t|goroutine \d+ |created by |\[signal |\[originating from |\.\.\.|[\w./*()[\]{}·-]+\(.*\)$)/;

/** Of the end of a log the line that says most: the last one, or that above the stacks with which it ends. @param lines none of them empty */
export const tellingLine = (lines: readonly string[]): string => lines.findLast((line) => !stackLine.test(line)) ?? lines.at(-1) ?? '';
