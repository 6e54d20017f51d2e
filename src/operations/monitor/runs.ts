import { pause } from '../../cluster/backoff.ts';
import { ApisvcError } from '../../errors.ts';
import { withOwnSignal } from './own-signal.ts';
import type { Pace, RunCost } from './pace.ts';

/** One run over a cluster: what it found, or why it failed. */
export type Run<T> = { readonly requests: number } & ({ readonly found: T } | { readonly error: ApisvcError });

export interface RepeatedRun<T> {
  /**
   * Verifies the cluster once, with a signal of its own.
   * @throws ApisvcError when the cluster cannot be verified
   */
  readonly run: (signal: AbortSignal, onRequest: () => void) => Promise<T>;
  /** Whether what a run found may be over soon, without a change that is watched. */
  readonly mayResolveSoon: (found: T) => boolean;
  /** Called after each run. */
  readonly onRun: (run: Run<T>) => Promise<void> | void;
  /** Called with the time, in ms from now, by which the next call of it or of `onRun` is due. */
  readonly onDue: (ms: number) => void;
  /** The pause before the first run, in ms. */
  readonly firstMs: number;
  /** The time limit of a run, in ms. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Decides the pauses after a run. */
  readonly pace: (cost: RunCost) => Pace;
}

/** The repeated runs for one cluster. */
export interface Runs {
  /** Something changed, so that a run is worthwhile before the interval is over. */
  changed(): void;
  /**
   * Never resolves.
   * @throws the reason of the signal; errors that are not failures of the cluster
   */
  readonly ended: Promise<never>;
}

/**
 * Verifies a cluster on an interval, and sooner after changes, but never more often than `pace`
 * allows. A run that fails is an outcome like another one.
 */
export function repeatRuns<T>(repeated: RepeatedRun<T>): Runs {
  let change = new AbortController();
  const repeat = async (): Promise<never> => {
    repeated.onDue(repeated.firstMs);
    await pause(repeated.firstMs, repeated.signal);
    for (let retries = 0; ; ) {
      change = new AbortController();
      const run = await runOnce(repeated);
      retries = 'error' in run || repeated.mayResolveSoon(run.found) ? retries + 1 : 0;
      await repeated.onRun(run);
      await waitFor(repeated.pace({ requests: run.requests, retries }), repeated, change.signal);
    }
  };
  return { changed: () => change.abort(), ended: repeat() };
}

async function runOnce<T>({ run, onDue, timeoutMs, signal }: RepeatedRun<T>): Promise<Run<T>> {
  let requests = 0;
  onDue(timeoutMs);
  const onRequest = (): void => {
    requests += 1;
  };
  try {
    return { found: await withOwnSignal(signal, (own) => run(own.signal, onRequest)), requests };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ApisvcError)) throw error;
    return { requests, error };
  }
}

/** Waits until the interval is over, or until something changed and the changes have settled. */
async function waitFor(
  { earliestMs, latestMs, settleMs }: Pace,
  { onDue, signal }: Pick<RepeatedRun<unknown>, 'onDue' | 'signal'>,
  change: AbortSignal,
): Promise<void> {
  onDue(latestMs);
  await pause(earliestMs, signal);
  if (change.aborted || latestMs <= earliestMs) return;
  await withOwnSignal(signal, (own) => pause(latestMs - earliestMs, own.signal, change));
  if (change.aborted) await pause(settleMs, signal);
}
