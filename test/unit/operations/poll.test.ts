import { describe, expect, test } from 'vitest';
import { Unreachable } from '../../../src/cluster/faults.ts';
import { poll } from '../../../src/operations/wait.ts';
import { never } from '../cluster/kube-api.ts';
import { rejection } from './waiting.ts';

const gone = new Unreachable('no answer');

/** Gives each of these in turn; an Error is thrown. */
const giving = (...turns: readonly (Error | string | undefined)[]) => {
  const left = [...turns];
  return async (): Promise<string | undefined> => {
    const turn = left.shift();
    if (turn instanceof Error) throw turn;
    return turn;
  };
};
const polling = { signal: never, firstMs: 1, longestMs: 2 };

describe('poll', () => {
  test('asks until there is an answer, also of a cluster that is gone for a while', async () => {
    expect(await poll(polling, giving(undefined, gone, undefined, gone, gone, 'yes'))).toBe('yes');
    expect(await poll({ ...polling, answered: true }, giving(gone, 'yes'))).toBe('yes');
  });

  test('ends with a cluster that never answered, and with any other failure', async () => {
    expect(await rejection(poll(polling, giving(gone, 'yes')))).toBe(gone);
    const refused = new Error('no');
    expect(await rejection(poll(polling, giving(undefined, refused, 'yes')))).toBe(refused);
  });

  test('does not wait for a cluster that is gone once the time is up', async () => {
    expect(await rejection(poll({ ...polling, until: AbortSignal.abort() }, giving(undefined, gone, 'yes')))).toBe(gone);
  });

  test('ends with the reason of the signal in the middle of a pause', async () => {
    const stop = new AbortController();
    const reason = new Error('stopped');
    setTimeout(() => stop.abort(reason), 10);
    expect(await rejection(poll({ signal: stop.signal, firstMs: 60_000, longestMs: 60_000 }, giving()))).toBe(reason);
  });
});
