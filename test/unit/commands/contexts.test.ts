import { setImmediate as immediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { checkContexts, selectContexts } from '../../../src/commands/contexts.ts';
import { diagnose } from '../../../src/diagnosis/diagnose.ts';
import type { ClusterResult } from '../../../src/diagnosis/types.ts';
import { ClusterError, DeadlineError, UsageError } from '../../../src/errors.ts';
import { filesOf } from '../cluster/kube-api.ts';
import { healthy, snapshotOf } from '../diagnosis/snapshots.ts';

const fine = diagnose(snapshotOf(healthy));
const nothingFound = (context: string) => new UsageError(`nothing in ${context}`);

/** A promise, and the function that resolves it. */
function gate() {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

const many = (count: number) => Array.from({ length: count }, (_, index) => `c${index}`);

describe('the contexts of a pattern', () => {
  const contexts = ['prod-a', 'prod-b', 'dev.x', 'devxx', 'a*b', 'arn:aws:eks:eu:1:cluster/x'].map((name) => ({ name, context: {} }));
  const kubeconfig = JSON.stringify({ apiVersion: 'v1', kind: 'Config', contexts });

  test.each<[readonly string[], readonly string[]]>([
    [['*'], contexts.map(({ name }) => name)],
    [
      ['prod-*', 'prod-b'],
      ['prod-a', 'prod-b'],
    ],
    [['dev.*'], ['dev.x']],
    [
      ['prod-?', 'other'],
      ['prod-a', 'prod-b', 'other'],
    ],
    [['a*b'], ['a*b']],
    [['*/x'], ['arn:aws:eks:eu:1:cluster/x']],
  ])('%j: %j', (given, names) => {
    expect(selectContexts(given, `${filesOf({ kubeconfig })}/kubeconfig`, {})).toEqual({ names, byPattern: true });
  });

  test('are not looked up without a pattern', () => {
    expect(selectContexts(['a', 'a'], 'none', {})).toEqual({ names: ['a'], byPattern: false });
  });
});

test('a few are checked at a time, and those that hang make room', async () => {
  let running = 0;
  let most = 0;
  const hanging = new Set(many(8));
  const [ended, eight] = [gate(), gate()];
  const got: ClusterResult[] = [];
  const list = await checkContexts(
    { names: many(40), byPattern: true },
    {
      check: async (context) => {
        if (hanging.has(context)) {
          await ended.opened;
          throw new DeadlineError('timed out');
        }
        most = Math.max(most, ++running);
        if (running === 8) eight.open();
        // The first of them run until the eighth does, and the others end soon.
        await eight.opened;
        await immediate();
        running--;
        return fine;
      },
      nothingFound,
      patienceMs: 1_000,
      onResult: async (result) => {
        got.push(result);
        if (got.length === 32) ended.open();
      },
    },
  );
  expect(most).toBe(8);
  expect(got.slice(0, 32).every(({ diagnosis }) => diagnosis === fine)).toBe(true);
  expect(list.clusters.map(({ context }) => context)).toEqual(many(40));
  expect(list.clusters[0]).toEqual({ context: 'c0', error: 'timed out', exitCode: 124 });
});

describe('a context that cannot be used', () => {
  const failing = (byPattern: boolean, errors: Readonly<Record<string, Error>>) => {
    const got: string[] = [];
    const result = checkContexts(
      { names: ['a', 'b'], byPattern },
      {
        check: async (context) => {
          const error = errors[context];
          if (error) throw error;
          return fine;
        },
        nothingFound,
        onResult: async ({ context }) => {
          got.push(context);
        },
      },
    );
    return { result, got };
  };
  const wrong = new UsageError('no user');

  test('is a result of its own for a pattern', async () => {
    const { result, got } = failing(true, { a: wrong });
    expect((await result).clusters[0]).toEqual({ context: 'a', error: 'no user', exitCode: 3 });
    expect(got).toEqual(['a', 'b']);
  });

  test('is wrong usage if it was named, or if it is every one', async () => {
    await expect(failing(false, { a: wrong }).result).rejects.toBe(wrong);
    const both = failing(true, { a: wrong, b: new UsageError('no cluster') });
    await expect(both.result).rejects.toBe(wrong);
    expect(both.got).toEqual([]);
  });

  test('is reported if another one is not reachable', async () => {
    const { result, got } = failing(true, { a: wrong, b: new ClusterError('connection refused') });
    await result;
    expect(got).toEqual(['a', 'b']);
  });
});
