import type { Cluster } from '../../cluster/cluster.ts';
import type { Limiter } from './limit.ts';

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
}
