import { setMaxListeners } from 'node:events';
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
 * @param doing what the deadline cut short, for its message: `verifying v1.example.com`
 * @throws DeadlineError when the time is up; what the work throws
 */
export async function withCluster<T>(
  flags: ClusterFlags,
  terminal: Pick<Terminal, 'env' | 'interrupt'>,
  doing: string,
  work: (cluster: Cluster, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (flags.asGroup && flags.as === undefined) throw new UsageError('--as-group needs --as');
  const deadline = new AbortController();
  const timedOut = new DeadlineError(`timed out after ${flags.timeout / 1000}s ${doing}`, { fix: 'Give it longer with --timeout.' });
  const timer = setTimeout(() => deadline.abort(timedOut), flags.timeout);
  const signal = AbortSignal.any([terminal.interrupt, deadline.signal]);
  // Everything that is under way listens to it; Node would take that for a leak.
  setMaxListeners(0, signal);
  let cluster: Cluster | undefined;
  try {
    // Getting credentials may hang: a login in a browser, a token that is renewed over the network.
    cluster = await Promise.race([connect(flags, terminal.env, signal), aborted(signal)]);
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

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
