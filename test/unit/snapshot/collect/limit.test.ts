import { describe, expect, test } from 'vitest';
import { limiter } from '../../../../src/snapshot/collect/limit.ts';

/** Tasks that the test finishes. */
function held() {
  let release = (): void => {};
  const done = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { done, release };
}

const tick = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('limiter', () => {
  test('few tasks run at a time, in the order of the calls', async () => {
    const turn = limiter({ quick: 2, slow: 0, slowAfterMs: 10_000 });
    const works = [held(), held(), held(), held()];
    const begun: number[] = [];
    const all = works.map(({ done }, index) =>
      turn(() => {
        begun.push(index);
        return done;
      }),
    );
    await tick();
    expect(begun).toEqual([0, 1]);
    works[1]?.release();
    await tick();
    expect(begun).toEqual([0, 1, 2]);
    for (const { release } of works) release();
    await Promise.all(all);
    expect(begun).toEqual([0, 1, 2, 3]);
  });

  test('slow tasks make room, up to a limit', async () => {
    const turn = limiter({ quick: 1, slow: 2, slowAfterMs: 10 });
    const dead = [held(), held(), held()];
    const begun: number[] = [];
    const all = dead.map(({ done }, index) =>
      turn(() => {
        begun.push(index);
        return done;
      }),
    );
    const quick = turn(async () => begun.push(9));
    await new Promise((resolve) => setTimeout(resolve, 100));
    // Two tasks count as slow, the third uses the only quick place.
    expect(begun).toEqual([0, 1, 2]);
    dead[0]?.release();
    await tick();
    await new Promise((resolve) => setTimeout(resolve, 30));
    dead[1]?.release();
    dead[2]?.release();
    await Promise.all([...all, quick]);
    expect(begun).toEqual([0, 1, 2, 9]);
  });

  test('a slow task takes the place of another that ends', async () => {
    const turn = limiter({ quick: 1, slow: 1, slowAfterMs: 10 });
    const [first, second] = [held(), held()];
    const slow = [turn(() => first.done), turn(() => second.done)];
    const quick = turn(async () => 'ran');
    await new Promise((resolve) => setTimeout(resolve, 100));
    first.release();
    // The second task still runs, and no longer as the only quick one.
    expect(await quick).toBe('ran');
    second.release();
    await Promise.all(slow);
  });

  test('a failed task rejects for its caller, and makes room', async () => {
    const turn = limiter({ quick: 1, slow: 0, slowAfterMs: 10_000 });
    await expect(turn(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await turn(async () => 'next')).toBe('next');
  });
});
