import type { Cluster } from '../../cluster/cluster.ts';
import type { SnapshotOptions } from '../types.ts';
import { type Limiter, limiter, limitRequests } from './limit.ts';

/** Arguments of everything that sends requests to kube-apiserver. */
export interface RequestContext {
  readonly cluster: Cluster;
  /** Ends all requests; its reason is thrown. */
  readonly signal: AbortSignal;
}

/**
 * Arguments of everything that collects a part of a snapshot. The requests of `cluster` are
 * limited.
 */
export interface CollectContext extends RequestContext {
  /** Limits the connections to endpoints. */
  readonly dials: Limiter;
  /** Whether the logs of pods may be read. */
  readonly logs: boolean;
}

/**
 * TLS handshakes cost CPU time on both sides. Connections without an answer cost nothing, so many
 * of them may wait.
 */
const dials = { quick: 16, slow: 1024, slowAfterMs: 250 };

/** Limits the requests and the handshakes of one snapshot or one wait. */
export const collectContext = (
  cluster: Cluster,
  signal: AbortSignal,
  { logs = true }: Pick<SnapshotOptions, 'logs'> = {},
): CollectContext => ({
  cluster: limitRequests(cluster),
  dials: limiter(dials),
  logs,
  signal,
});
