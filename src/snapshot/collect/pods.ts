import type { Cluster } from '../../cluster/cluster.ts';
import { lastMessageLine } from '../../cluster/last-message.ts';
import { lastLogLines } from '../../cluster/logs.ts';
import { listObjects } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import { redacted } from '../../config/redact.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { problemOf } from '../pod-problem.ts';
import { viewEvents } from '../pod-view.ts';
import type { Observed, PodView } from '../types.ts';
import { observeOrThrow } from './observe.ts';

/** The most pods whose events and log are read. Further pods usually have the same problem. */
const detailLimit = 8;

/** Enough for the stack trace of a Go program. Only one line is kept. */
const tailLines = 200;

/** The namespace and labels of pods. */
export interface PodSelection {
  readonly namespace: string;
  readonly selector: LabelSelector;
}

/** A LabelSelector of meta/v1 (k8s.io/apimachinery/pkg/apis/meta/v1/types.go). */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[];
}

/**
 * The operators in the form of a query (k8s.io/apimachinery/pkg/labels/selector.go,
 * Requirement.String).
 */
const expressionOf: Readonly<Record<string, (key: string, values: string) => string>> = {
  In: (key, values) => `${key} in (${values})`,
  NotIn: (key, values) => `${key} notin (${values})`,
  Exists: (key) => key,
  DoesNotExist: (key) => `!${key}`,
};

/** A selector as the query parameter `labelSelector`. */
export const labelSelectorOf = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string =>
  [
    ...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`),
    ...matchExpressions.map(({ key, operator, values = [] }) => expressionOf[operator]?.(key, values.join(',')) ?? key),
  ].join(',');

/** The Pod objects of a selection. @throws as `listObjects` */
export const listPods = (cluster: Cluster, { namespace, selector }: PodSelection, signal: AbortSignal): Promise<readonly KubeObject[]> =>
  listObjects(cluster, { resource: resources.Pod, namespace, labelSelector: labelSelectorOf(selector) }, signal);

/**
 * Adds events and the last log line of a failing container to the first pods that are not ready.
 * @param options logs: false for events only
 * @throws Unreachable when no answer comes; the reason of the signal
 */
export function addPodDetails(
  cluster: Cluster,
  namespace: string,
  pods: readonly PodView[],
  signal: AbortSignal,
  options: { readonly logs?: boolean } = {},
): Promise<readonly PodView[]> {
  const { logs = true } = options;
  const unready = pods.filter(({ ready, deleting }) => !ready && !deleting).slice(0, detailLimit);
  return Promise.all(pods.map((pod) => (unready.includes(pod) ? addDetails(cluster, namespace, pod, { signal, logs }) : pod)));
}

async function addDetails(
  cluster: Cluster,
  namespace: string,
  pod: PodView,
  { signal, logs }: { readonly signal: AbortSignal; readonly logs: boolean },
): Promise<PodView> {
  const about = { resource: resources.Event, namespace, fieldSelector: `involvedObject.uid=${pod.uid}` };
  const [events, lastLogLine] = await Promise.all([
    observeOrThrow(signal, () => listObjects(cluster, about, signal), viewEvents),
    logs ? readLastLogLine(cluster, namespace, pod, signal) : pod.lastLogLine,
  ]);
  return { ...pod, events, lastLogLine };
}

async function readLastLogLine(cluster: Cluster, namespace: string, pod: PodView, signal: AbortSignal): Promise<Observed<string>> {
  const problem = problemOf(pod, new Date());
  const container = pod.containers.find(({ name }) => name === problem?.container);
  if ((problem?.kind !== 'crashing' && problem?.kind !== 'not-ready') || !container) return pod.lastLogLine;
  // A container that runs again after a crash has not failed yet, so its previous log tells more.
  // For one that waits or has ended, the kubelet returns the log of its last run
  // (pkg/kubelet/kubelet_pods.go, validateContainerLogStatus).
  const previous = problem.kind === 'crashing' && container.state.kind === 'running';
  const log = await lastLogLines(cluster, { namespace, pod: pod.name, container: container.name, previous, lines: tailLines }, signal);
  if (log.kind === 'lines') return { state: 'seen', value: redacted(lastMessageLine(log.lines)) };
  return { state: 'unseen', reason: log.kind === 'forbidden' ? 'forbidden' : 'unreachable', words: log.words };
}
