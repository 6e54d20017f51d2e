import { setMaxListeners } from 'node:events';
import { type Cluster, connect } from '../cluster/cluster.ts';
import type { ClusterOptions } from '../cluster/kubeconfig.ts';
import { type Watched, watchRequests } from '../cluster/pending.ts';
import { durationText } from '../config/duration.ts';
import { DeadlineError, InterruptedError, UsageError } from '../errors.ts';
import { completeFix, type RepeatedFlags } from './complete-fix.ts';
import type { Terminal } from './terminal.ts';

export interface ClusterFlags extends ClusterOptions, RepeatedFlags {
  /** Milliseconds. */
  readonly timeout: number;
}

/**
 * Runs work on a cluster with one deadline. Ctrl-C ends it too. The connection is always closed.
 * @param doing - what the deadline interrupts, for its message: `verifying v1.example.com`
 * @throws DeadlineError after `flags.timeout`; whatever the work throws
 */
export async function withCluster<T>(
  flags: ClusterFlags,
  terminal: Pick<Terminal, 'env' | 'interrupt'> & Partial<Pick<Terminal, 'interactive' | 'trace'>>,
  doing: string,
  work: (cluster: Cluster, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (flags.asGroup && flags.as === undefined) throw new UsageError('--as-group needs --as', { fix: 'Add --as USER.' });
  const deadline = new AbortController();
  let watched: Watched | undefined;
  const timer = setTimeout(() => deadline.abort(timedOut(`${durationText(flags.timeout)} ${doing}`, watched?.unanswered())), flags.timeout);
  const signal = AbortSignal.any([terminal.interrupt, deadline.signal]);
  // Every request in flight listens to the signal. Node would warn of a leak.
  setMaxListeners(0, signal);
  try {
    watched = watchRequests(await connect({ ...flags, interactive: terminal.interactive, trace: terminal.trace }, terminal.env, signal));
    return await work(watched.cluster, signal);
  } catch (error) {
    // Interrupted work fails in many ways, so report the reason. A DeadlineError of the work says
    // more.
    if (signal.aborted && !(error instanceof DeadlineError)) throw signal.reason;
    throw completeFix(error, flags);
  } finally {
    clearTimeout(timer);
    watched?.cluster.close();
  }
}

/** @param unanswered the request that the cluster did not answer */
const timedOut = (what: string, unanswered: string | undefined): DeadlineError =>
  new DeadlineError(`timed out after ${what}${unanswered ? `: ${unanswered}` : ''}`, {
    fix: unanswered ? 'Check that the server is running. If it is only slow, set a longer --timeout.' : 'Set a longer --timeout.',
  });

/**
 * Rethrows an error; that of Ctrl-C with how to go on. Every step leaves a cluster that works, so
 * nothing needs to be undone.
 * @param fix its commands get the flags that select the cluster and the project
 */
export function explainInterrupt(error: unknown, flags: RepeatedFlags, fix: string): never {
  if (!(error instanceof InterruptedError)) throw error;
  throw completeFix(new InterruptedError(error.signal, { fix }), flags);
}

/** The start of that fix. */
export const runAgain = 'Run the same command again to continue';
