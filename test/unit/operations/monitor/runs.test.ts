import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { ClusterError, InterruptedError } from '../../../../src/errors.ts';
import type { Pace, RunCost } from '../../../../src/operations/monitor/pace.ts';
import { type Run, repeatRuns } from '../../../../src/operations/monitor/runs.ts';
import { rejection } from '../waiting.ts';

const soon: Pace = { earliestMs: 0, latestMs: 1, settleMs: 0 };
const never: Pace = { earliestMs: 0, latestMs: 1_000_000, settleMs: 0 };

/** Runs until so many have ended; each has the outcome of its number, from 1. */
async function runsOf(count: number, outcome: (number: number) => string, pace: Pace, onRun: (changed: () => void) => void = () => {}) {
  const interrupt = new AbortController();
  const seen: Run<string>[] = [];
  const costs: RunCost[] = [];
  const runs = repeatRuns<string>({
    run: async (_, onRequest) => {
      onRequest();
      return outcome(seen.length + 1);
    },
    mayResolveSoon: (found) => found === 'differs',
    onRun: (run) => {
      seen.push(run);
      setImmediate(() => onRun(runs.changed));
      if (seen.length === count) interrupt.abort(new InterruptedError('SIGTERM'));
    },
    onDue: () => {},
    pace: (cost) => {
      costs.push(cost);
      return pace;
    },
    firstMs: 0,
    timeoutMs: 1_000,
    signal: interrupt.signal,
  });
  const error = await rejection(runs.ended);
  return { seen, costs, error };
}

describe('runs', () => {
  test('repeat until they are interrupted, also when one fails', async () => {
    const down = new ClusterError('connection refused');
    const { seen, costs, error } = await runsOf(
      4,
      (number) => {
        if (number === 2 || number === 3) throw down;
        return `run ${number}`;
      },
      soon,
    );
    expect(seen).toEqual([
      { requests: 1, found: 'run 1' },
      { requests: 1, error: down },
      { requests: 1, error: down },
      { requests: 1, found: 'run 4' },
    ]);
    expect(costs.map(({ retries }) => retries)).toEqual([0, 1, 2, 0]);
    expect(error).toBeInstanceOf(InterruptedError);
  });

  test('are repeated soon while what they find may be over soon', async () => {
    const { costs } = await runsOf(4, (number) => (number < 3 ? 'differs' : 'healthy'), soon);
    expect(costs.map(({ retries }) => retries)).toEqual([1, 2, 0, 0]);
  });

  test('begin early after a change', async () => {
    const { seen } = await runsOf(
      3,
      (number) => `run ${number}`,
      never,
      (changed) => changed(),
    );
    expect(seen).toHaveLength(3);
  });

  test('end with an error that is not a failure of the cluster', async () => {
    const { error } = await runsOf(
      9,
      () => {
        throw new TypeError('a bug');
      },
      soon,
    );
    expect(error).toBeInstanceOf(TypeError);
  });

  test('begin after the first pause, for which a monitor is in time', async () => {
    const interrupt = new AbortController();
    const due: number[] = [];
    const runs = repeatRuns<void>({
      run: () => expect.fail('ran'),
      mayResolveSoon: () => false,
      onRun: () => {},
      onDue: (ms) => due.push(ms),
      pace: () => soon,
      firstMs: 1_000_000,
      timeoutMs: 1_000,
      signal: interrupt.signal,
    });
    const ended = rejection(runs.ended);
    await new Promise(setImmediate);
    interrupt.abort(new InterruptedError('SIGTERM'));
    expect(await ended).toBe(interrupt.signal.reason);
    expect(due).toEqual([1_000_000]);
  });

  test('leave nothing at the signal of the process, and end with it', async () => {
    const interrupt = new AbortController();
    const signals: AbortSignal[] = [];
    const runs = repeatRuns<void>({
      run: async (signal) => {
        signals.push(signal);
        if (signals.length === 3) interrupt.abort(new InterruptedError('SIGTERM'));
        signal.throwIfAborted();
      },
      mayResolveSoon: () => false,
      onRun: () => {},
      onDue: () => {},
      pace: () => soon,
      firstMs: 0,
      timeoutMs: 1_000,
      signal: interrupt.signal,
    });
    expect(await rejection(runs.ended)).toBe(interrupt.signal.reason);
    expect(new Set([...signals, interrupt.signal]).size).toBe(4);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false, true]);
    expect(getEventListeners(interrupt.signal, 'abort')).toEqual([]);
  });
});
