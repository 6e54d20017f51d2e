import type { KubeObject } from '../manifests/types.ts';
import type { ContainerView, Ended, Observed, PodEvent, PodView } from './types.ts';
import { listOf, textOf } from './views.ts';

// biome-ignore lint/suspicious/noExplicitAny: JSON of a Kubernetes object; every field read below is checked or defaulted.
type Json = any;

const notAsked: Observed<never> = { state: 'unseen', reason: 'skipped', words: 'there was no need for it' };

/** @param object a Pod. @returns what its object says; its events and its log are asked for elsewhere */
export function viewPod({ metadata, spec, status }: KubeObject & Json): PodView {
  const condition = (type: string): Json => listOf(status?.conditions).find((each) => each.type === type);
  const scheduled = condition('PodScheduled');
  return {
    name: metadata.name,
    uid: textOf(metadata.uid),
    owner: listOf(metadata.ownerReferences).find(({ controller }) => controller === true)?.name,
    node: spec?.nodeName,
    phase: textOf(status?.phase),
    ready: condition('Ready')?.status === 'True',
    deleting: metadata.deletionTimestamp !== undefined,
    unscheduled: scheduled?.status === 'False' ? textOf(scheduled.message) : undefined,
    containers: [
      ...listOf(status?.initContainerStatuses).map((each) => viewContainer(each, true)),
      ...listOf(status?.containerStatuses).map((each) => viewContainer(each, false)),
    ],
    events: notAsked,
    lastLogLine: notAsked,
  };
}

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
        ? { kind: 'running' }
        : { kind: 'waiting', reason: textOf(waiting?.reason), message: textOf(waiting?.message) },
    before: lastState?.terminated && viewEnd(lastState.terminated),
  };
}

const viewEnd = ({ exitCode, reason, message }: Json): Ended => ({
  kind: 'ended',
  exitCode: Number(exitCode),
  reason: textOf(reason),
  message: textOf(message),
});

/** What cluster-autoscaler and Karpenter say of a pod for which they add a node. */
const nodeIsComing = ['TriggeredScaleUp', 'Nominated'];

const eventLimit = 5;

/**
 * The last events of a pod that matter: warnings, and that a node is being added for it.
 * @param events of core/v1, in any order
 * @returns the last one of each reason, the oldest first
 */
export function viewEvents(events: readonly (KubeObject & Json)[]): PodEvent[] {
  const matter = events.filter(({ type, reason }) => type === 'Warning' || nodeIsComing.includes(reason));
  const ordered = matter.sort((one, other) => timeOf(one).localeCompare(timeOf(other)));
  const lastOfEach = new Map<string, string>();
  for (const { reason, message } of ordered) {
    lastOfEach.delete(textOf(reason));
    lastOfEach.set(textOf(reason), textOf(message));
  }
  return [...lastOfEach].slice(-eventLimit).map(([reason, message]) => ({ reason, message }));
}

/** ISO 8601. Events that repeat have lastTimestamp, those of the newer API eventTime (k8s.io/api/core/v1/types.go, Event). */
const timeOf = ({ lastTimestamp, eventTime, metadata }: Json): string => lastTimestamp ?? eventTime ?? metadata?.creationTimestamp ?? '';

/** Whether somebody is adding a node for the pod. */
export const awaitsNode = ({ events }: PodView): boolean =>
  events.state === 'seen' && events.value.some(({ reason }) => nodeIsComing.includes(reason));

/** A Go program that gives up prints its stacks below the line that says why (runtime/panic.go; k8s.io/klog/v2, Fatal). */
const lastWords = /^(panic: |fatal error: |F\d{4} )/;

/** Of the end of a log the line that says most: the last one, unless a stack trace follows upon it. */
export const tellingLine = (lines: readonly string[]): string => lines.findLast((line) => lastWords.test(line)) ?? lines.at(-1) ?? '';
