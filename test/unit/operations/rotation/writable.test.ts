import { expect, test } from 'vitest';
import { RefusedError } from '../../../../src/errors.ts';
import { requireWritable } from '../../../../src/operations/rotation/preconditions.ts';
import type { Observation, Step } from '../../../../src/operations/runner.ts';
import { rejection } from '../waiting.ts';

const step = (id: string, observe: () => Promise<Observation>): Step => ({ id, needs: () => [], observe, run: async () => {} });
const fault = (message: string) => async (): Promise<Observation> => ({
  state: 'fault',
  error: new RefusedError(message, { fix: message }),
});
const pending = async (): Promise<Observation> => ({ state: 'pending' });

test('everything that the writing steps refuse is one error, and nothing else is looked at', async () => {
  const unseen = step('served', async () => Promise.reject(new Error('looked at')));
  const refused = await rejection(requireWritable([step('trust-both', fault('one')), unseen, step('secret', fault('two'))]));
  expect(refused).toMatchObject({ exitCode: 1, message: 'one\ntwo\nnothing in the cluster was changed', fix: 'one\ntwo' });
  await requireWritable([step('trust-both', pending), unseen, step('secret', pending)]);
});
