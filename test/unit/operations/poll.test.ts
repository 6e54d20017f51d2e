import { describe, expect, test } from 'vitest';
import { Unreachable } from '../../../src/cluster/faults.ts';
import { poll } from '../../../src/operations/wait.ts';
import { never } from '../cluster/kube-api.ts';
import { rejection } from './waiting.ts';

const unreachable = new Unreachable('no answer');

/** An attempt that returns these values in turn. Errors are thrown. */
const attempting = (...turns: readonly (Error | string | undefined)[]) => {
  const left = [...turns];
  return async (): Promise<string | undefined> => {
    const turn = left.shift();
    if (turn instanceof Error) throw turn;
    return turn;
  };
};
const polling = { signal: never, firstMs: 1, longestMs: 2, answered: false };

describe('poll', () => {
  test('repeats until there is a value, also while a cluster that answered is unreachable', async () => {
    expect(await poll(polling, attempting(undefined, unreachable, undefined, unreachable, unreachable, 'yes'))).toBe('yes');
    expect(await poll({ ...polling, answered: true }, attempting(unreachable, 'yes'))).toBe('yes');
  });

  test('fails when the cluster never answered, and on any other error', async () => {
    expect(await rejection(poll(polling, attempting(unreachable, 'yes')))).toBe(unreachable);
    const refused = new Error('no');
    expect(await rejection(poll(polling, attempting(undefined, refused, 'yes')))).toBe(refused);
  });

  test('does not wait for an unreachable cluster after the time limit', async () => {
    expect(await rejection(poll({ ...polling, until: AbortSignal.abort() }, attempting(undefined, unreachable, 'yes')))).toBe(unreachable);
  });

  test('throws the reason of the signal during a pause', async () => {
    const stop = new AbortController();
    const reason = new Error('stopped');
    setTimeout(() => stop.abort(reason), 10);
    expect(await rejection(poll({ signal: stop.signal, firstMs: 60_000, longestMs: 60_000 }, attempting()))).toBe(reason);
  });
});
