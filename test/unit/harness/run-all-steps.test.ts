import { expect, test } from 'vitest';
import { runAllSteps } from '../../cluster/harness/run-all-steps.ts';

test('runs every step in order and returns the errors', async () => {
  const taken: string[] = [];
  const step = (name: string, fault?: Error) => async () => {
    taken.push(name);
    if (fault) throw fault;
  };
  const [first, second] = [new Error('first'), new Error('second')];
  const plain = async () => Promise.reject('plain');
  expect(await runAllSteps(step('a'), step('b', first), step('c'), step('d', second), plain)).toEqual([first, second, new Error('plain')]);
  expect(taken).toEqual(['a', 'b', 'c', 'd']);
  expect(await runAllSteps()).toEqual([]);
});
