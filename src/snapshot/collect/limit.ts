import type { Cluster } from '../../cluster/cluster.ts';

/** How many pieces of work run at a time. */
export interface Limit {
  /** As long as they are quick. */
  readonly quick: number;
  /** Of those that have run for `patienceMs`, beside the quick ones. */
  readonly slow: number;
  readonly patienceMs: number;
}

/** Runs work now, or when it is its turn. */
export type Turn = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Bounds how much runs at a time, and yet lets nobody wait for somebody who hangs: work that takes long makes room for the next, up to a bound of its own. A
 * hundred dead servers then cost one time-out, not a hundred. First come, first served.
 */
export function turns({ quick, slow, patienceMs }: Limit): Turn {
  const queue: (() => void)[] = [];
  const running = { quick: 0, slow: 0 };
  const next = (): void => {
    if (running.quick < quick) queue.shift()?.();
  };
  const start = async <T>(work: () => Promise<T>): Promise<T> => {
    let counted: keyof typeof running = 'quick';
    running.quick += 1;
    const timer = setTimeout(() => {
      if (running.slow >= slow) return;
      running.quick -= 1;
      running.slow += 1;
      counted = 'slow';
      next();
    }, patienceMs);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
      running[counted] -= 1;
      next();
    }
  };
  return (work) =>
    new Promise((resolve, reject) => {
      queue.push(() => {
        start(work).then(resolve, reject);
      });
      next();
    });
}

/** Requests beyond these wait: a look must not be a load on kube-apiserver, of which one flow gets a share (APIPriorityAndFairness). */
const requests: Limit = { quick: 16, slow: 128, patienceMs: 250 };

/** The same cluster for somebody with many questions. */
export function paced(cluster: Cluster): Cluster {
  const turn = turns(requests);
  return {
    ...cluster,
    request: (request) => turn(() => cluster.request(request)),
    webSocket: (request, protocol) => turn(() => cluster.webSocket(request, protocol)),
  };
}
