import { type PodProblem, problemOf } from '../snapshot/pod-problem.ts';
import { awaitsNode } from '../snapshot/pod-view.ts';
import type { PodView } from '../snapshot/types.ts';

/**
 * A container that restarted this often does not recover by itself. A server may end once or twice
 * before its dependencies exist: its etcd, or the current version of a Secret.
 */
const restartLimit = 3;

/**
 * Any other problem that lasts this long, in milliseconds, does not go away by itself. kubelet
 * retries mounts and image pulls within seconds.
 */
export const persistAfterMs = 30_000;

/** Problems that may last forever. Others end without us: a probe, a gate, a node. */
const persistent: readonly PodProblem['kind'][] = ['crashing', 'image', 'cannot-start', 'unschedulable'];

/**
 * Checks the same pods repeatedly, including those that are being deleted.
 * @returns a problem that will not go away by itself
 */
export type FailureDetector = (pods: readonly PodView[], now: Date) => PodProblem | undefined;

/**
 * Makes a detector of persistent failures. A pod that runs and is not ready never fails, nor does a
 * pod that waits for a node while one is being added or another pod leaves. Restarts before the
 * first check do not count, because their cause may have been fixed since; nor does the end of the
 * run that was active then.
 */
export function failureDetector(): FailureDetector {
  const since = new Map<string, number>();
  let initial: ReadonlyMap<string, number> | undefined;
  return (pods, now) => {
    const nowMs = now.getTime();
    const capacityComing = pods.some((pod) => pod.deleting && problemOf(pod, now) === undefined);
    initial ??= restartsOf(pods);
    const restarts = restartsOf(pods);
    const problems = pods.flatMap((pod) => {
      const problem = problemOf(pod, now);
      if (!problem || !persistent.includes(problem.kind)) return [];
      return problem.kind === 'unschedulable' && (capacityComing || awaitsNode(pod)) ? [] : problem;
    });
    const keys = problems.map(({ pod, kind }) => `${pod} ${kind}`);
    for (const key of since.keys()) if (!keys.includes(key)) since.delete(key);
    return problems.find((problem, index) => {
      const { kind, pod, container = '' } = problem;
      const count = restarts.get(keyOf(pod, container)) ?? 0;
      if (kind === 'crashing') {
        return count >= restartLimit && count > (initial?.get(keyOf(pod, container)) ?? 0) && !runs(pods, pod, container);
      }
      const key = keys[index] ?? '';
      const first = since.get(key) ?? nowMs;
      since.set(key, first);
      return nowMs - first >= persistAfterMs;
    });
  };
}

const runs = (pods: readonly PodView[], pod: string, container: string): boolean =>
  pods.some(({ name, containers }) => name === pod && containers.some((each) => each.name === container && each.state.kind === 'running'));

const keyOf = (pod: string, container: string): string => `${pod}/${container}`;

const restartsOf = (pods: readonly PodView[]): ReadonlyMap<string, number> =>
  new Map(pods.flatMap(({ name, containers }) => containers.map((each) => [keyOf(name, each.name), each.restarts] as const)));
