import { describe, expect, test } from 'vitest';
import { type ApisvcError, ClusterError, Exit, RefusedError, UsageError } from '../../../src/errors.ts';
import type { Progress } from '../../../src/operations/progress.ts';
import { checkSteps, type Observation, runSteps, type Step } from '../../../src/operations/runner.ts';
import { rejection } from './waiting.ts';

const done: Observation = { state: 'done' };
const pending: Observation = { state: 'pending' };
const fault = (error: ApisvcError): Observation => ({ state: 'fault', error });

/** Steps that observe these states in turn, and the calls that they receive. */
function stepsThat(...observations: readonly Observation[]) {
  const calls: string[] = [];
  const steps = observations.map((observation, index): Step => {
    const call = (name: string) => calls.push(`${name} ${index}`);
    return {
      id: `step-${index}`,
      title: `Step ${index}`,
      needs: () => [],
      observe: async () => {
        call('observe');
        return observation;
      },
      run: async () => void call('run'),
      reportDone: () => call('reportDone'),
    };
  });
  return { steps, calls };
}

describe('runSteps', () => {
  test('runs the steps in order, and only those that are not done', async () => {
    const { steps, calls } = stepsThat(done, pending);
    const progress: Progress[] = [];
    await runSteps(steps, (each) => progress.push(each));
    expect(calls).toEqual(['observe 0', 'reportDone 0', 'observe 1', 'run 1']);
    expect(progress).toEqual([
      { kind: 'step', what: 'Step 0' },
      { kind: 'step', what: 'Step 1' },
    ]);
  });

  test('stops at the first fault', async () => {
    const error = new RefusedError('no');
    const { steps, calls } = stepsThat(pending, fault(error), pending);
    expect(await rejection(runSteps(steps, () => {}))).toBe(error);
    expect(calls).toEqual(['observe 0', 'run 0', 'observe 1']);
  });
});

describe('checkSteps', () => {
  test('observes all steps and runs none', async () => {
    const { steps, calls } = stepsThat(done, pending);
    await checkSteps(steps);
    expect(calls).toEqual(['observe 0', 'observe 1']);
  });

  test('reports the faults of all steps, and each fix once', async () => {
    const { steps } = stepsThat(fault(new RefusedError('a', { fix: 'Fix.' })), pending, fault(new RefusedError('b', { fix: 'Fix.' })));
    const error = await rejection(checkSteps(steps));
    expect(error).toBeInstanceOf(RefusedError);
    expect(error).toMatchObject({ message: 'a\nb\nnothing was changed', fix: 'Fix.' });
  });

  test('puts each fix on its own line, so that its command pastes cleanly', async () => {
    const fixes = ['Remove the label: kubectl label apiservice a b-', 'Remove the other manager.'];
    const { steps } = stepsThat(...fixes.map((fix) => fault(new RefusedError('a', { fix }))));
    expect(await rejection(checkSteps(steps))).toMatchObject({ fix: fixes.join('\n') });
  });

  test('keeps the class of an error, which decides the exit code', async () => {
    const { steps } = stepsThat(fault(new ClusterError('a')));
    const error = await rejection(checkSteps(steps));
    expect(error).toBeInstanceOf(ClusterError);
    expect(error).toMatchObject({ message: 'a\nnothing was changed', exitCode: Exit.unreachable, fix: undefined });
  });

  test.each([
    ['a usage error', [RefusedError, ClusterError, UsageError], UsageError],
    ['missing access', [RefusedError, ClusterError, RefusedError], ClusterError],
  ] as const)('reports %s when one of the faults is one, in any order', async (_, classes, expected) => {
    for (const order of [classes, classes.toReversed()]) {
      const { steps } = stepsThat(...order.map((Fault, index) => fault(new Fault(String(index)))));
      const error = await rejection(checkSteps(steps));
      expect(error).toBeInstanceOf(expected);
      expect(error).toMatchObject({ message: '0\n1\n2\nnothing was changed' });
    }
  });
});
