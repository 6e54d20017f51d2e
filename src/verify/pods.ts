import type { Cluster } from '../cluster/cluster.ts';
import { lastLogLines } from '../cluster/logs.ts';
import { listObjects } from '../cluster/objects.ts';
import { resources } from '../cluster/resources.ts';
import { look } from './look.ts';
import { troubleOf } from './pod-trouble.ts';
import { tellingLine, viewEvents, viewPod } from './pod-view.ts';
import type { Observed, PodView } from './types.ts';

/** Pods of which events and a log line are read; what ails more of them is most often the same. */
const detailLimit = 8;

/** Room for the stack trace of a Go program; only one of the lines is kept. */
const tailLines = 200;

/** Which pods are meant. */
export interface PodSelection {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Looks at the pods that have these labels, more closely at those that are not ready: their events, and the last log line of a container that crashes.
 * @throws Unreachable when no answer comes; the signal's reason when it is aborted
 */
export async function lookAtPods(
  cluster: Cluster,
  { namespace, labels }: PodSelection,
  signal: AbortSignal,
): Promise<Observed<readonly PodView[]>> {
  const labelSelector = Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const listed = await look(
    signal,
    () => listObjects(cluster, { resource: resources.Pod, namespace, labelSelector }, signal),
    (found) => found.map(viewPod),
  );
  if (listed.state !== 'seen') return listed;
  const closer = listed.value.filter(({ ready, deleting }) => !ready && !deleting).slice(0, detailLimit);
  const value = await Promise.all(listed.value.map((pod) => (closer.includes(pod) ? lookCloser(cluster, namespace, pod, signal) : pod)));
  return { state: 'seen', value };
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
  const trouble = troubleOf(pod);
  const container = pod.containers.find(({ name }) => name === trouble?.container);
  if (trouble?.kind !== 'crashing' || !container) return pod.lastLogLine;
  // What runs now has not failed yet. Of a container that waits or has ended, kubelet gives the log of its last run (pkg/kubelet/kubelet_pods.go, validateContainerLogStatus).
  const previous = container.state.kind === 'running';
  const log = await lastLogLines(cluster, { namespace, pod: pod.name, container: container.name, previous, lines: tailLines }, signal);
  if (log.kind === 'lines') return { state: 'seen', value: tellingLine(log.lines) };
  return log.kind === 'none' ? { state: 'absent' } : { state: 'unseen', reason: 'forbidden', words: log.words };
}
