import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { NodeContext } from '../../../../src/sandbox/node/controller.ts';
import { statusWriter } from '../../../../src/sandbox/node/status-writer.ts';
import { podOf } from './objects.ts';

/** A writer for a status that is a number, and what it wrote. */
function writing(patch: () => Promise<void> = async () => {}) {
  const written: number[] = [];
  const problems: unknown[] = [];
  const state = { value: 1 };
  const api = {
    patch: async (_: unknown, { status }: { status: { value: number } }) => {
      await patch();
      written.push(status.value);
    },
  };
  const node = { api, onError: (error: unknown) => problems.push(error), signal: new AbortController().signal };
  const writer = statusWriter(node as unknown as NodeContext, podOf('pod'), () => ({ value: state.value }));
  return { written, problems, state, writer };
}

test('an equal status is not written again', async () => {
  const { written, state, writer } = writing();
  for (const value of [1, 1, 2, 2, 2, 1]) {
    state.value = value;
    writer.changed();
    await writer.idle();
  }
  expect(written).toEqual([1, 2, 1]);
});

test('changes during a write are written once', async () => {
  const { written, state, writer } = writing(() => sleep(20));
  for (const value of [1, 2, 3]) {
    state.value = value;
    writer.changed();
  }
  await writer.idle();
  expect(written).toEqual([1, 3]);
});

test('a write that fails is reported and retried', async () => {
  let failures = 1;
  const { written, problems, writer } = writing(async () => {
    if (failures-- > 0) throw new Error('no answer');
  });
  writer.changed();
  await writer.idle();
  expect(written).toEqual([1]);
  expect(problems).toEqual([new Error('no answer')]);
});
