import { expect, test } from 'vitest';
import type { RotationLock } from '../../../../src/cluster/lease.ts';
import type { Journal } from '../../../../src/cluster/rotation-lease.ts';
import { InterruptedError, RefusedError } from '../../../../src/errors.ts';
import type { Progress } from '../../../../src/operations/progress.ts';
import type { RotateReport } from '../../../../src/operations/rotation/request.ts';
import type { Rotation } from '../../../../src/operations/rotation/rotation.ts';
import { runRecorded, stepRunner } from '../../../../src/operations/rotation/run.ts';
import type { Observation, Step } from '../../../../src/operations/runner.ts';
import { rejection } from '../waiting.ts';

const step = (id: string, observation: Observation, run: () => Promise<void> = async () => {}): Step => ({
  id,
  title: `Step ${id}`,
  needs: () => [],
  observe: async () => observation,
  run,
});
const done = step('one', { state: 'done' });
const pending = step('two', { state: 'pending' });
const last = step('last', { state: 'pending' });

async function runAll(all: readonly Step[], signal = new AbortController().signal) {
  const progress: Progress[] = [];
  const reports: RotateReport[] = [];
  const onProgress = (each: Progress): void => void progress.push(each);
  const runner = stepRunner({ kind: 'leaf', all, signal, onProgress, onReport: (each) => reports.push(each) });
  const failure = await rejection(runner.run(all));
  expect(reports[0]?.steps.map(({ state }) => state)).toEqual(all.map(() => 'pending'));
  return { states: reports.at(-1)?.steps.map(({ state }) => state), progress, failure, last: reports.at(-1), report: runner.report() };
}

test('a step that was done before is one short line, and the others are announced', async () => {
  const { states, progress, last: latest, report } = await runAll([done, pending]);
  expect(states).toEqual(['skipped', 'done']);
  expect(progress).toEqual([
    { kind: 'skipped', what: 'Step one' },
    { kind: 'step', what: 'Step two' },
  ]);
  expect(report).toEqual(latest);
});

test('a step that the run has made unnecessary is announced as usual', async () => {
  const { states, progress } = await runAll([pending, done]);
  expect(states).toEqual(['done', 'skipped']);
  expect(progress.map(({ kind }) => kind)).toEqual(['step', 'step']);
});

test('a step that fails is named, and those after it stay pending', async () => {
  const error = new RefusedError('no');
  const failing = step('two', { state: 'pending' }, () => Promise.reject(error));
  const { states, failure } = await runAll([done, failing, last]);
  expect({ states, failure }).toEqual({ states: ['skipped', 'failed', 'pending'], failure: error });
});

test('a step that must not run fails, after its title', async () => {
  const error = new RefusedError('no');
  const { states, failure, progress } = await runAll([step('one', { state: 'fault', error }), last]);
  expect({ states, failure }).toEqual({ states: ['failed', 'pending'], failure: error });
  expect(progress).toEqual([{ kind: 'step', what: 'Step one' }]);
});

test('a step that Ctrl-C interrupts is not done, and has not failed', async () => {
  const interrupt = new AbortController();
  const interrupted = new InterruptedError('SIGINT');
  const running = step('two', { state: 'pending' }, async () => {
    interrupt.abort(interrupted);
    throw interrupted;
  });
  const { states, failure } = await runAll([done, running, last], interrupt.signal);
  expect({ states, failure }).toEqual({ states: ['skipped', 'pending', 'pending'], failure: interrupted });
});

test.each([
  ['forward', [true, undefined, undefined], true],
  ['back', [true, true, true], true],
  ['back', [undefined, undefined, undefined], undefined],
] as const)(
  'the Lease counts the steps as the plan does, and says before the Secret that nothing serves the new certificate: %s',
  async (direction, said, neverServed) => {
    const all = ['trust-both', 'secret', 'promote'].map((id) => step(id, { state: 'done' }));
    const journals: Omit<Journal, 'holder'>[] = [];
    const lock = { record: async (journal: Omit<Journal, 'holder'>) => void journals.push(journal) } as unknown as RotationLock;
    const rotation = {
      kind: 'ca',
      direction,
      neverServed,
      to: { leaf: 'NEW' },
      signal: new AbortController().signal,
      onProgress: () => {},
    };
    const runner = stepRunner({ kind: 'ca', all, signal: rotation.signal, onProgress: () => {}, onReport: () => {} });
    await runRecorded(runner, { rotation: rotation as unknown as Rotation, steps: all, started: 'now' }, lock);
    expect(journals.map(({ number, steps }) => `${number} of ${steps}`)).toEqual(['1 of 4', '2 of 4', '3 of 4']);
    expect(journals.map((journal) => journal.neverServed)).toEqual(said);
  },
);
