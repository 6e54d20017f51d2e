import type { Cluster } from '../../cluster/cluster.ts';

/** How many tasks run at a time. */
export interface Limit {
  /** Tasks that started less than `slowAfterMs` ago. */
  readonly quick: number;
  /** Tasks that have run longer. They do not count as quick. */
  readonly slow: number;
  readonly slowAfterMs: number;
}

/** Runs a task, now or as soon as the limit allows. */
export type Limiter = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Limits how many tasks run at a time. A slow task makes room for the next one, up to the limit
 * `slow`, so that a hundred servers that hang cost one time-out and not a hundred. Tasks start in
 * the order of the calls.
 */
export function limiter({ quick, slow, slowAfterMs }: Limit): Limiter {
  const queue: (() => void)[] = [];
  const running = { quick: 0, slow: 0 };
  // Tasks that have become slow, and still count as quick.
  const late = new Set<() => void>();
  const next = (): void => {
    const [first] = late;
    if (running.slow < slow) first?.();
    if (running.quick < quick) queue.shift()?.();
  };
  const start = async <T>(work: () => Promise<T>): Promise<T> => {
    let counted: keyof typeof running = 'quick';
    running.quick += 1;
    const countAsSlow = (): void => {
      late.delete(countAsSlow);
      running.quick -= 1;
      running.slow += 1;
      counted = 'slow';
      next();
    };
    const timer = setTimeout(() => {
      late.add(countAsSlow);
      next();
    }, slowAfterMs);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
      late.delete(countAsSlow);
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

/**
 * Keeps the load on kube-apiserver small, which gives each flow only a share
 * (APIPriorityAndFairness).
 */
const requests: Limit = { quick: 16, slow: 128, slowAfterMs: 250 };

/** The same cluster with a limit on concurrent requests. */
export function limitRequests(cluster: Cluster): Cluster {
  const limit = limiter(requests);
  return {
    ...cluster,
    request: (request) => limit(() => cluster.request(request)),
    webSocket: (request, protocol) => limit(() => cluster.webSocket(request, protocol)),
  };
}
