import { pause } from '../../cluster/backoff.ts';
import { ApisvcError } from '../../errors.ts';
import { withOwnSignal } from './own-signal.ts';
import type { LookCost, Pace } from './pace.ts';

/** One look at a cluster: what it found, or why it failed. */
export type Look<T> = { readonly requests: number } & ({ readonly found: T } | { readonly error: ApisvcError });

export interface Looking<T> {
  /**
   * Looks once, with a signal of its own.
   * @throws ApisvcError when the cluster cannot be looked at
   */
  readonly look: (signal: AbortSignal, onRequest: () => void) => Promise<T>;
  /** Called after each look. */
  readonly onLook: (look: Look<T>) => Promise<void> | void;
  /** Called with the time, in ms from now, by which the next call of it or of `onLook` is due. */
  readonly onDue: (ms: number) => void;
  /** The pause before the first look, in ms. */
  readonly firstMs: number;
  /** The time limit of a look, in ms. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Decides the pauses after a look. */
  readonly pace: (cost: LookCost) => Pace;
}

/** Repeats looks at one cluster. */
export interface Looks {
  /** Something changed, so that a look is worthwhile before the interval is over. */
  changed(): void;
  /**
   * Never resolves.
   * @throws the reason of the signal; errors that are not failures of the cluster
   */
  readonly ended: Promise<never>;
}

/**
 * Looks at a cluster on an interval, and sooner after changes, but never more often than `pace`
 * allows. A look that fails is an outcome like another one.
 */
export function repeatLooks<T>(looking: Looking<T>): Looks {
  let change = new AbortController();
  const run = async (): Promise<never> => {
    looking.onDue(looking.firstMs);
    await pause(looking.firstMs, looking.signal);
    for (let failures = 0; ; ) {
      change = new AbortController();
      const look = await lookOnce(looking);
      failures = 'error' in look ? failures + 1 : 0;
      await looking.onLook(look);
      await waitFor(looking.pace({ requests: look.requests, failures }), looking, change.signal);
    }
  };
  return { changed: () => change.abort(), ended: run() };
}

async function lookOnce<T>({ look, onDue, timeoutMs, signal }: Looking<T>): Promise<Look<T>> {
  let requests = 0;
  onDue(timeoutMs);
  const onRequest = (): void => {
    requests += 1;
  };
  try {
    return { found: await withOwnSignal(signal, (own) => look(own.signal, onRequest)), requests };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ApisvcError)) throw error;
    return { requests, error };
  }
}

/** Waits until the interval is over, or until something changed and the changes have settled. */
async function waitFor(
  { earliestMs, latestMs, settleMs }: Pace,
  { onDue, signal }: Pick<Looking<unknown>, 'onDue' | 'signal'>,
  change: AbortSignal,
): Promise<void> {
  onDue(latestMs);
  await pause(earliestMs, signal);
  if (change.aborted || latestMs <= earliestMs) return;
  await withOwnSignal(signal, (own) => pause(latestMs - earliestMs, own.signal, change));
  if (change.aborted) await pause(settleMs, signal);
}
