import type { Cluster } from '../../cluster/cluster.ts';
import { lastLogLines } from '../../cluster/logs.ts';
import { listObjects } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { look } from '../look.ts';
import { problemOf } from '../pod-problem.ts';
import { tellingLine, viewEvents, viewPod } from '../pod-view.ts';
import { redacted } from '../redact.ts';
import type { Observed, PodView } from '../types.ts';

/** Pods of which events and a log line are read; what ails more of them is most often the same. */
const detailLimit = 8;

/** Room for the stack trace of a Go program; only one of the lines is kept. */
const tailLines = 200;

/** Which pods are meant. */
export interface PodSelection {
  readonly namespace: string;
  readonly selector: LabelSelector;
}

/** A LabelSelector of meta/v1 (k8s.io/apimachinery/pkg/apis/meta/v1/types.go). */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[];
}

/** How a query says `Exists` and its like (k8s.io/apimachinery/pkg/labels/selector.go, Requirement.String). */
const expressionOf: Readonly<Record<string, (key: string, values: string) => string>> = {
  In: (key, values) => `${key} in (${values})`,
  NotIn: (key, values) => `${key} notin (${values})`,
  Exists: (key) => key,
  DoesNotExist: (key) => `!${key}`,
};

/** A selector as the query `labelSelector`; all of its requirements must be met. */
export const labelSelectorOf = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string =>
  [
    ...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`),
    ...matchExpressions.map(({ key, operator, values = [] }) => expressionOf[operator]?.(key, values.join(',')) ?? key),
  ].join(',');

/**
 * Looks at the pods of a selection, more closely at those that are not ready.
 * @throws Unreachable when no answer comes; the signal's reason when it is aborted
 */
export async function lookAtPods(cluster: Cluster, selection: PodSelection, signal: AbortSignal): Promise<Observed<readonly PodView[]>> {
  const listed = await look(
    signal,
    () => listPods(cluster, selection, signal),
    (found) => found.map(viewPod),
  );
  if (listed.state !== 'seen') return listed;
  return { state: 'seen', value: await lookCloserAt(cluster, selection.namespace, listed.value, signal) };
}

/** The pods of a selection, as the cluster has them. @throws as `listObjects` */
export const listPods = (cluster: Cluster, { namespace, selector }: PodSelection, signal: AbortSignal): Promise<readonly KubeObject[]> =>
  listObjects(cluster, { resource: resources.Pod, namespace, labelSelector: labelSelectorOf(selector) }, signal);

/** The same pods, and of the first that are not ready the events, and the last log line of a container that crashes or is not ready. @throws as lookAtPods does */
export function lookCloserAt(
  cluster: Cluster,
  namespace: string,
  pods: readonly PodView[],
  signal: AbortSignal,
): Promise<readonly PodView[]> {
  const closer = pods.filter(({ ready, deleting }) => !ready && !deleting).slice(0, detailLimit);
  return Promise.all(pods.map((pod) => (closer.includes(pod) ? lookCloser(cluster, namespace, pod, signal) : pod)));
}

async function lookCloser(cluster: Cluster, namespace: string, pod: PodView, signal: AbortSignal): Promise<PodView> {
  const about = { resource: resources.Event, namespace, fieldSelector: `involvedObject.uid=${pod.uid}` };
  const [events, lastLogLine] = await Promise.all([
    look(signal, () => listObjects(cluster, about, signal), viewEvents),
    readLastLogLine(cluster, namespace, pod, signal),
  ]);
  return { ...pod, events, lastLogLine };
}

async function readLastLogLine(cluster: Cluster, namespace: string, pod: PodView, signal: AbortSignal): Promise<Observed<string>> {
  const trouble = problemOf(pod, new Date());
  const container = pod.containers.find(({ name }) => name === trouble?.container);
  if ((trouble?.kind !== 'crashing' && trouble?.kind !== 'not-ready') || !container) return pod.lastLogLine;
  // What runs now after a crash has not failed yet. Of a container that waits or has ended, kubelet gives the log of its last run (pkg/kubelet/kubelet_pods.go, validateContainerLogStatus).
  const previous = trouble.kind === 'crashing' && container.state.kind === 'running';
  const log = await lastLogLines(cluster, { namespace, pod: pod.name, container: container.name, previous, lines: tailLines }, signal);
  if (log.kind === 'lines') return { state: 'seen', value: redacted(tellingLine(log.lines)) };
  return { state: 'unseen', reason: log.kind === 'forbidden' ? 'forbidden' : 'unreachable', words: log.words };
}
