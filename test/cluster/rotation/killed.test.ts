import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnyApiProject, installAnyApiProject, removeAnyApiProject } from '../harness/any-api-project.ts';
import { apisvc } from '../harness/commands.ts';
import { expectAgreement, expectNoFailure, rotateOk, underLoad } from '../harness/rotations.ts';
import { signalAfter } from '../harness/signal-after.ts';
import { isThorough } from '../harness/thorough.ts';

/**
 * A rotation that is killed at any moment is finished by the next `rotate` or `rotate --abort`,
 * without a failed request. APISVC_THOROUGH=1 kills at every step and at 50 random moments;
 * APISVC_SEED repeats a run.
 */

const seed = Number(process.env.APISVC_SEED ?? Date.now() % 1e9);
console.log(`APISVC_SEED=${seed}`);

/** Mulberry32. @returns numbers from 0 to 1 */
function randomNumbers(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const random = randomNumbers(seed);
const pick = <T>(values: readonly T[], count: number): T[] =>
  values
    .map((value) => ({ value, order: random() }))
    .sort((one, other) => one.order - other.order)
    .slice(0, count)
    .map(({ value }) => value);

/** What stderr shows when a step starts. */
const titles = {
  leaf: ['Issuing', 'Writing Secret', 'Waiting until every endpoint', 'Moving certs/next', 'Verifying'],
  ca: [
    'Issuing',
    'Trusting both',
    'Waiting for every kube-apiserver',
    'Writing Secret',
    'Waiting until every endpoint',
    'Watching all endpoints',
    'Trusting only',
    'Moving certs/next',
    'Verifying',
  ],
};

type Moment = { readonly title: string } | { readonly longestMs: number };
type Finish = 'rotate' | 'abort';

/** The title of the step that runs when this has been printed. */
const lastStep = (stderr: string): string => stderr.slice(stderr.lastIndexOf('==> ') + 4).split('\n')[0] ?? '';

/** Starts a rotation that is killed as soon as a step has started. */
async function killAtStep(project: AnyApiProject, title: string, flags: readonly string[]): Promise<void> {
  const env = signalAfter(new RegExp(`==> ${title}`), 'SIGKILL');
  const { exitCode, signal, stderr } = await apisvc(['rotate', '-C', project.dir, ...flags], { timeout: 120_000, env });
  expect({ exitCode, signal, step: lastStep(stderr) }).toEqual({
    exitCode: undefined,
    signal: 'SIGKILL',
    step: expect.stringMatching(`^${title}`),
  });
}

/** What became of the random moments: the step that was hit, or that the rotation had ended. */
const hits: string[] = [];
const misses: number[] = [];

/**
 * Starts a rotation and kills it at a random moment. One that ended before is complete; the next
 * one is killed earlier.
 */
async function killAtRandom(project: AnyApiProject, longestMs: number, flags: readonly string[]): Promise<void> {
  const ms = Math.round(random() * longestMs);
  const running = apisvc(['rotate', '-C', project.dir, ...flags], { timeout: 120_000 });
  await Promise.race([pause(ms), running]);
  running.kill('SIGKILL');
  const { exitCode, signal, stderr } = await running;
  if (signal === 'SIGKILL') {
    hits.push(`${ms} ms: ${stderr.includes('==> ') ? lastStep(stderr) : 'before the first step'}`);
    return;
  }
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  misses.push(ms);
  await killAtRandom(project, ms / 2, flags);
}

/** After the old CA lost its trust, only `rotate` finishes. */
async function finish(project: AnyApiProject, how: Finish, flags: readonly string[]): Promise<void> {
  if (how === 'abort') {
    const { exitCode, stderr } = await apisvc(['rotate', '-C', project.dir, '--abort', '--soak', '1s'], { timeout: 120_000 });
    if (exitCode === 0) return;
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('cannot be rolled back') });
  }
  await rotateOk(project, ...flags);
}

const rounds = (kind: 'leaf' | 'ca'): [Moment, Finish][] => {
  const all = titles[kind].flatMap((title) => (['rotate', 'abort'] as const).map((how): [Moment, Finish] => [{ title }, how]));
  const longestMs = kind === 'leaf' ? 3_000 : 20_000;
  const moments = Array.from({ length: isThorough ? 25 : 1 }, (): [Moment, Finish] => [{ longestMs }, random() < 0.5 ? 'rotate' : 'abort']);
  return [...(isThorough ? all : pick(all, 1)), ...moments];
};

describe.each(['leaf', 'ca'] as const)('a killed rotation (%s)', (kind) => {
  const name = `killed-${kind}`;
  const flags = kind === 'ca' ? ['--ca', '--soak', '1s'] : [];
  let project: AnyApiProject;

  beforeAll(async () => {
    project = await installAnyApiProject({ name, flags: ['--close-connections'] });
  });

  afterAll(() => removeAnyApiProject(project, name));

  test.each(rounds(kind))('at %j is finished by %s', async (moment, how) => {
    const report = await underLoad(project, async () => {
      await ('title' in moment ? killAtStep(project, moment.title, flags) : killAtRandom(project, moment.longestMs, flags));
      await finish(project, how, flags);
    });
    await expectAgreement(project, name);
    expectNoFailure(report);
  });
});

test('most random moments hit a rotation that ran', () => {
  const summary = `random moments: ${hits.length} hit a running rotation, ${misses.length} came too late`;
  console.log([summary, ...hits.map((each) => `  hit at ${each}`), ...misses.map((ms) => `  too late: ${ms} ms`)].join('\n'));
  expect(hits.length).toBeGreaterThan(misses.length);
});
