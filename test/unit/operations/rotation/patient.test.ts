import { expect, test } from 'vitest';
import { Unreachable } from '../../../../src/cluster/faults.ts';
import { RefusedError } from '../../../../src/errors.ts';
import type { Progress } from '../../../../src/operations/progress.ts';
import { patientStep } from '../../../../src/operations/rotation/patient.ts';
import type { Step } from '../../../../src/operations/runner.ts';
import { never } from '../../cluster/kube-api.ts';

const stepThat = (run: () => Promise<void>): Step => ({ id: 'secret', needs: () => [], observe: async () => ({ state: 'pending' }), run });

test('a step is repeated while the cluster is not reachable, and says so once', async () => {
  const progress: Progress[] = [];
  let runs = 0;
  const step = stepThat(async () => {
    if (++runs < 3) throw new Unreachable('connection refused');
  });
  await patientStep(step, { signal: never, onProgress: (each) => progress.push(each) }).run();
  expect(runs).toBe(3);
  expect(progress).toEqual([{ kind: 'note', what: 'connection refused; trying again' }]);
});

test('any other error ends it', async () => {
  let runs = 0;
  const step = stepThat(async () => {
    runs++;
    throw new RefusedError('no');
  });
  await expect(patientStep(step, { signal: never, onProgress: () => {} }).run()).rejects.toThrow('no');
  expect(runs).toBe(1);
});
