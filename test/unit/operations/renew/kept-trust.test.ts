import { expect, test } from 'vitest';
import { RefusedError } from '../../../../src/errors.ts';
import type { Progress } from '../../../../src/operations/progress.ts';
import { keptTrust } from '../../../../src/operations/renew/kept-trust.ts';
import type { Observation, Step } from '../../../../src/operations/runner.ts';
import { rejection } from '../waiting.ts';

/** @param observations of the step that has both CAs injected; the last one stays */
function keeping(...observations: readonly Observation[]) {
  const ran: string[] = [];
  const progress: Progress[] = [];
  const left = [...observations];
  const step = (id: string): Step => ({
    id,
    needs: () => [],
    observe: async () => (left.length > 1 ? left.shift() : left[0]) as Observation,
    run: async () => void ran.push(id),
  });
  const keep = keptTrust({ onProgress: (each) => void progress.push(each) }, step('both'), step('uptake'));
  return { keep, ran, progress };
}

test('nothing runs while both CAs are trusted', async () => {
  const { keep, ran, progress } = keeping({ state: 'done' });
  await keep();
  await keep();
  expect([ran, progress]).toEqual([[], []]);
});

test('what was overwritten is restored, and fails the second time', async () => {
  const { keep, ran, progress } = keeping({ state: 'pending' }, { state: 'done' }, { state: 'pending' });
  await keep();
  expect(ran).toEqual(['both', 'uptake']);
  expect(progress).toEqual([{ kind: 'note', what: 'the annotation or the caBundle of an APIService was changed; restoring both CAs' }]);
  await keep();
  expect(await rejection(keep())).toMatchObject({
    message: 'the annotations or the caBundle of an APIService were changed a second time during the rotation',
  });
  expect(ran).toEqual(['both', 'uptake', 'both', 'uptake']);
});

test('what cannot be restored is an error', async () => {
  const error = new RefusedError('no');
  const { keep, ran } = keeping({ state: 'fault', error });
  expect(await rejection(keep())).toBe(error);
  expect(ran).toEqual([]);
});
