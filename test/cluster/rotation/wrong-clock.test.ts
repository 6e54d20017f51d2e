import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnyApiProject, installAnyApiProject, removeAnyApiProject } from '../harness/any-api-project.ts';
import { clockAhead } from '../harness/clock-ahead.ts';
import { apisvc } from '../harness/commands.ts';
import { waitForOutput } from '../harness/projects.ts';
import { expectAgreement, expectNoFailure, placesOf, underLoad } from '../harness/rotations.ts';

/** A clock of this machine that is wrong. */

describe('a clock that is 20 years ahead, so that every certificate has expired there', () => {
  const name = 'wrong-clock';
  let project: AnyApiProject;
  const rotateThere = (...flags: readonly string[]) =>
    apisvc(['rotate', '-C', project.dir, ...flags], { env: clockAhead(631_152_000_000), timeout: 170_000 });

  beforeAll(async () => {
    project = await installAnyApiProject({ name, replicas: 1 });
  });

  afterAll(() => removeAnyApiProject(project, name));

  test('starts no rotation', async () => {
    const { files: before } = await placesOf(project, name);
    for (const flags of [[], ['--ca'], ['--ca', '--dry-run']]) {
      const { exitCode, stderr } = await rotateThere(...flags);
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 1 });
      expect(stderr).toMatch(/error: the clock of this machine shows 20[4-9]\S+Z, but the clock of kube-apiserver shows 20[23]\S+Z/);
      expect(stderr).toContain('nothing was changed');
    }
    expect(await expectAgreement(project, name)).toEqual(before);
  });

  test.each([
    ['continues a rotation that was killed', 'SIGKILL', []],
    ['rolls back a rotation that was interrupted', 'SIGINT', ['--abort']],
  ] as const)('%s, without dropping a CA that is valid', async (_, signal, flags) => {
    const { files: before } = await placesOf(project, name);
    const report = await underLoad(project, async () => {
      const running = apisvc(['rotate', '-C', project.dir, '--ca', '--soak', '60s'], { timeout: 170_000 });
      await waitForOutput(running, /==> Watching/);
      running.kill(signal);
      await running;
      const { stdout, stderr } = await rotateThere('--soak', '1s', ...flags);
      expect(stderr).not.toMatch(/expired/);
      expect(stdout).toContain(flags.length > 0 ? 'Rolled back' : 'Rotated');
    });
    expectNoFailure(report);
    const after = await expectAgreement(project, name);
    expect(after.ca.toString() === before.ca.toString()).toBe(flags.length > 0);
  });
});
