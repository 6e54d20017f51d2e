import { normalise } from './normalise.ts';
import type { Difference, Step } from './step.ts';
import { openWorld, type Target } from './world.ts';

/** The normalised result of a step, or its failure. */
export type Outcome = { readonly result: unknown } | { readonly failure: Error };

/** Steps mostly wait. */
const atOnce = 16;

/** Runs the steps on a control plane, several at once. @returns the outcomes by name */
export async function outcomesOf(target: Target, steps: readonly Step[]): Promise<ReadonlyMap<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const world = await openWorld(target);
  const left = [...steps];
  const work = async (): Promise<void> => {
    for (let step = left.shift(); step; step = left.shift()) {
      const { name, run } = step;
      const ended = world.run(name, run).then((result) => ({ result: normalise(result, target) }));
      outcomes.set(name, await ended.catch((failure: Error) => ({ failure })));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  await world.close();
  return outcomes;
}

/** @throws the failure of the step */
export function resultOf(outcome: Outcome | undefined): unknown {
  if (!outcome || 'failure' in outcome) throw outcome?.failure ?? new Error('it did not run');
  return outcome.result;
}

// biome-ignore lint/suspicious/noExplicitAny: JSON.
type Json = any;

/** The value at a path of a result. */
export const valueAt = (result: unknown, at: string): unknown => keysOf(at).reduce((value: Json, key) => value?.[key], result);

/**
 * The result that the simulation must have: the real one with the listed differences.
 */
export function withDifferences(real: unknown, differences: readonly Difference[]): unknown {
  const expected: Json = { result: structuredClone(real) };
  for (const { at, simulated } of differences) {
    const keys = ['result', ...keysOf(at)];
    const last = keys.pop() as string;
    const parent: Json = keys.reduce((value: Json, key) => value?.[key], expected);
    if (simulated === undefined && Array.isArray(parent)) parent.splice(Number(last), 1);
    else if (simulated === undefined) delete parent[last];
    else parent[last] = simulated;
  }
  return expected.result;
}

/** `a.b[c.d].0`: a, b, c.d, 0. */
const keysOf = (at: string): string[] => [...at.matchAll(/\[([^\]]+)\]|[^.[\]]+/g)].map(([key, inBrackets]) => inBrackets ?? key);
