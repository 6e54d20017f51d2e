import { type PodProblem, problemOf } from '../snapshot/pod-problem.ts';
import { awaitsNode } from '../snapshot/pod-view.ts';
import type { PodView } from '../snapshot/types.ts';

/**
 * A container that has ended so often does not recover by itself. A server may well end once or twice before what it depends on is there: its etcd,
 * a Secret of which kubelet has an older state.
 */
const restartLimit = 3;

/** Trouble of another kind that lasts so long does not pass by itself. kubelet tries again to mount and to pull within seconds, so what only comes late is found. */
export const troubleLimitMs = 30_000;

/** What may last for ever. The rest is for others to set right: a probe, a gate, a node. */
const lasting: readonly PodProblem['kind'][] = ['crashing', 'image', 'cannot-start', 'unschedulable'];

/** Looks at the same pods again and again, those on their way out included. @returns the trouble that will not pass by itself */
export type Patience = (pods: readonly PodView[], now: Date) => PodProblem | undefined;

/**
 * When to stop hoping for pods. Never for one that runs and is not ready, nor for a place on a node where somebody is adding one or another pod is
 * leaving. What a container did before the first look does not count, nor how the run that it was in then ended: what was wrong may have been put right
 * just now, and the run that began after that may be the one that lasts.
 */
export function newPatience(): Patience {
  const since = new Map<string, number>();
  let before: ReadonlyMap<string, number> | undefined;
  return (pods, now) => {
    const nowMs = now.getTime();
    const roomComes = pods.some((pod) => pod.deleting && problemOf(pod, now) === undefined);
    before ??= restartsOf(pods);
    const restarts = restartsOf(pods);
    const troubles = pods.flatMap((pod) => {
      const trouble = problemOf(pod, now);
      if (!trouble || !lasting.includes(trouble.kind)) return [];
      return trouble.kind === 'unschedulable' && (roomComes || awaitsNode(pod)) ? [] : trouble;
    });
    const keys = troubles.map(({ pod, kind }) => `${pod} ${kind}`);
    for (const key of since.keys()) if (!keys.includes(key)) since.delete(key);
    return troubles.find((trouble, index) => {
      const { kind, pod, container = '' } = trouble;
      const count = restarts.get(keyOf(pod, container)) ?? 0;
      if (kind === 'crashing') {
        return count >= restartLimit && count > (before?.get(keyOf(pod, container)) ?? 0) && !runs(pods, pod, container);
      }
      const key = keys[index] ?? '';
      const first = since.get(key) ?? nowMs;
      since.set(key, first);
      return nowMs - first >= troubleLimitMs;
    });
  };
}

const runs = (pods: readonly PodView[], pod: string, container: string): boolean =>
  pods.some(({ name, containers }) => name === pod && containers.some((each) => each.name === container && each.state.kind === 'running'));

const keyOf = (pod: string, container: string): string => `${pod}/${container}`;

const restartsOf = (pods: readonly PodView[]): ReadonlyMap<string, number> =>
  new Map(pods.flatMap(({ name, containers }) => containers.map((each) => [keyOf(name, each.name), each.restarts] as const)));
