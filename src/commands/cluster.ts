import { type Cluster, connect } from '../cluster/cluster.ts';
import type { ClusterOptions } from '../cluster/kubeconfig.ts';
import { DeadlineError, UsageError } from '../errors.ts';
import type { Terminal } from './terminal.ts';

export interface ClusterFlags extends ClusterOptions {
  /** Milliseconds. */
  readonly timeout: number;
}

/**
 * Runs work on a cluster under one deadline; Ctrl-C ends it as well. The connection is closed whatever happens.
 * @throws DeadlineError when the time is up; what the work throws
 */
export async function withCluster<T>(
  flags: ClusterFlags,
  terminal: Terminal,
  work: (cluster: Cluster, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (flags.asGroup && flags.as === undefined) throw new UsageError('--as-group needs --as');
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(new DeadlineError(`timed out after ${flags.timeout / 1000}s`)), flags.timeout);
  const signal = AbortSignal.any([terminal.interrupt, deadline.signal]);
  let cluster: Cluster | undefined;
  try {
    cluster = await connect(flags, terminal.env);
    return await work(cluster, signal);
  } catch (error) {
    // What was cut short fails in many ways; the reason is the one that counts, unless the work has put it into better words.
    if (signal.aborted && !(error instanceof DeadlineError)) throw signal.reason;
    throw error;
  } finally {
    clearTimeout(timer);
    cluster?.close();
  }
}
