import { lastMessageLine } from '../cluster/last-message.ts';
import { redacted } from '../config/redact.ts';
import type { KubeObject } from '../manifests/types.ts';
import { seen, skipped } from './observed.ts';
import type { ContainerView, Ended, PodEvent, PodView } from './types.ts';
import { type Json, listOf, textOf } from './views.ts';

const notNeeded = skipped('not needed');

/** @param object a Pod. @returns its view without events and log, which `addPodDetails` adds */
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
    ...(ready?.status === 'True' && ready.lastTransitionTime ? { readySince: textOf(ready.lastTransitionTime) } : {}),
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
    events: notNeeded,
    lastLogLine: notNeeded,
  };
}

/**
 * With a reason other than Unschedulable, the scheduler did not search for a node: SchedulingGated,
 * SchedulerError.
 */
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
    // "If none of them is specified, the default one is ContainerStateWaiting"
    // (k8s.io/api/core/v1/types.go, ContainerState).
    state: terminated
      ? viewEnd(terminated)
      : running
        ? { kind: 'running', startedAt: textOf(running.startedAt) }
        : { kind: 'waiting', reason: textOf(waiting?.reason), message: redacted(textOf(waiting?.message)) },
    before: lastState?.terminated && viewEnd(lastState.terminated),
  };
}

/**
 * Describes a probe (k8s.io/api/core/v1/types.go, ProbeHandler). Leaves out commands, which may
 * contain a password.
 */
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
  // With terminationMessagePolicy FallbackToLogsOnError, this is the end of a log.
  message: redacted(
    lastMessageLine(
      textOf(message)
        .split('\n')
        .filter((line) => line.trim() !== ''),
    ),
  ),
});

/** The events of cluster-autoscaler and Karpenter about a pod for which they add a node. */
const nodeIsComing = ['TriggeredScaleUp', 'Nominated'];

/**
 * Events that explain why a pod has no containers yet
 * (k8s.io/kubernetes/pkg/kubelet/events/event.go).
 */
export const setupReasons = [
  'FailedMount',
  'FailedAttachVolume',
  'FailedMapVolume',
  'FailedCreatePodSandBox',
  'FailedPrepareDynamicResources',
];

/** Events after the set-up of a pod (pkg/kubelet/kuberuntime/kuberuntime_manager.go, SyncPod). */
const afterSetup = ['Pulling', 'Pulled', 'Created', 'Started'];

const eventLimit = 5;

/**
 * The last relevant events of a pod: warnings, and that a node is being added for it. Warnings
 * about the set-up are left out once the set-up has succeeded.
 * @param events of core/v1, in any order
 * @returns the last one of each reason, the oldest first
 */
export function viewEvents(events: readonly (KubeObject & Json)[]): PodEvent[] {
  // Until 1.36 the condition PodReadyToStartContainers turns true only after the images are pulled
  // (kubernetes/kubernetes#134460). Events tell earlier.
  const setUpAt = Math.max(...events.filter(({ reason }) => afterSetup.includes(reason)).map(timeOf));
  const isOver = (event: Json): boolean => setupReasons.includes(event.reason) && timeOf(event) <= setUpAt;
  const relevant = events.filter((event) => (event.type === 'Warning' && !isOver(event)) || nodeIsComing.includes(event.reason));
  const ordered = relevant.toSorted((one, other) => timeOf(one) - timeOf(other));
  const lastOfEach = new Map<string, string>();
  for (const { reason, message } of ordered) {
    lastOfEach.delete(textOf(reason));
    lastOfEach.set(textOf(reason), redacted(textOf(message)));
  }
  return [...lastOfEach].slice(-eventLimit).map(([reason, message]) => ({ reason, message }));
}

/**
 * When an event last happened, in ms. Repeated events have lastTimestamp; events.k8s.io/v1 has
 * eventTime and a series (k8s.io/api/core/v1/types.go, Event).
 */
const timeOf = ({ series, lastTimestamp, eventTime, metadata }: Json): number =>
  Date.parse(series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata?.creationTimestamp) || 0;

/** Whether an autoscaler is adding a node for the pod. */
export const awaitsNode = ({ events }: PodView): boolean => (seen(events) ?? []).some(({ reason }) => nodeIsComing.includes(reason));
