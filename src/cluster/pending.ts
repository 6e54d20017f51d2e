import type { Cluster } from './cluster.ts';

/** A request that answers later than this is worth a word. In milliseconds. */
const patienceMs = 1_000;

/** A cluster, and the request that it has not answered for the longest time. */
export interface Watched {
  readonly cluster: Cluster;
  /** `no response from https://… (context "x") to GET /api for 4s`; undefined if none is late. */
  unanswered(): string | undefined;
}

/** Keeps account of the requests in flight, for the error of a deadline. */
export function watchRequests(cluster: Cluster): Watched {
  const pending = new Map<symbol, { readonly asked: string; readonly since: number }>();
  return {
    cluster: {
      ...cluster,
      async request(request) {
        const id = Symbol();
        pending.set(id, { asked: `${request.method ?? 'GET'} ${request.path}`, since: performance.now() });
        try {
          return await cluster.request(request);
        } finally {
          pending.delete(id);
        }
      },
    },
    unanswered() {
      const [oldest] = pending.values();
      const waitedMs = performance.now() - (oldest?.since ?? Infinity);
      if (!oldest || waitedMs < patienceMs) return undefined;
      const { server, context } = cluster;
      return `no response from ${server} (context "${context}") to ${oldest.asked} for ${Math.floor(waitedMs / 1000)}s`;
    },
  };
}
