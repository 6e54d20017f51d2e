import { expect, test } from 'vitest';
import { allSteps } from '../../cluster/harness/all-steps.ts';

test('every step is taken in its turn, and what failed is told', async () => {
  const taken: string[] = [];
  const step = (name: string, fault?: Error) => async () => {
    taken.push(name);
    if (fault) throw fault;
  };
  const [first, second] = [new Error('first'), new Error('second')];
  const plain = async () => Promise.reject('plain');
  expect(await allSteps(step('a'), step('b', first), step('c'), step('d', second), plain)).toEqual([first, second, new Error('plain')]);
  expect(taken).toEqual(['a', 'b', 'c', 'd']);
  expect(await allSteps()).toEqual([]);
});
