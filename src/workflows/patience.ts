import { type PodTrouble, troubleOf } from '../verify/pod-trouble.ts';
import { awaitsNode } from '../verify/pod-view.ts';
import type { PodView } from '../verify/types.ts';

/**
 * A container that has ended so often does not recover by itself. A server may well end once or twice before what it depends on is there: its etcd,
 * a Secret of which kubelet has an older state.
 */
const restartLimit = 3;

/** Trouble of another kind that lasts so long does not pass by itself. kubelet tries again to mount and to pull within seconds, so what only comes late is found. */
const troubleLimitMs = 30_000;

/** Looks at the same pods again and again. @returns the trouble that will not pass by itself */
export type Patience = (pods: readonly PodView[], nowMs: number) => PodTrouble | undefined;

/**
 * When to stop hoping for pods. Never for one that runs and is not ready, nor where somebody is adding a node. What a container did before the first look
 * does not count alone: what was wrong may have been put right just now.
 */
export function newPatience(): Patience {
  const since = new Map<string, number>();
  let before: ReadonlyMap<string, number> | undefined;
  return (pods, nowMs) => {
    before ??= restartsOf(pods);
    const restarts = restartsOf(pods);
    const troubles = pods.filter((pod) => !awaitsNode(pod)).flatMap((pod) => troubleOf(pod) ?? []);
    const keys = troubles.map(({ pod, kind }) => `${pod} ${kind}`);
    for (const key of since.keys()) if (!keys.includes(key)) since.delete(key);
    return troubles.find((trouble, index) => {
      const { kind, pod, container = '' } = trouble;
      if (kind === 'not-ready') return false;
      const count = restarts.get(keyOf(pod, container)) ?? 0;
      if (kind === 'crashing') return count >= restartLimit && count > (before?.get(keyOf(pod, container)) ?? 0);
      const key = keys[index] ?? '';
      const first = since.get(key) ?? nowMs;
      since.set(key, first);
      return nowMs - first >= troubleLimitMs;
    });
  };
}

const keyOf = (pod: string, container: string): string => `${pod}/${container}`;

const restartsOf = (pods: readonly PodView[]): ReadonlyMap<string, number> =>
  new Map(pods.flatMap(({ name, containers }) => containers.map((each) => [keyOf(name, each.name), each.restarts] as const)));
