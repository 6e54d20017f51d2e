import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnyApiProject, installAnyApiProject, removeAnyApiProject } from '../harness/any-api-project.ts';
import { apisvc } from '../harness/commands.ts';
import { editConfiguration, emptyFolder, kubectlOk, waitForOutput } from '../harness/projects.ts';
import { expectAgreement, rotateRefused } from '../harness/rotations.ts';
import { installInsecure } from '../harness/secured.ts';
import { isThorough } from '../harness/thorough.ts';

/**
 * Two commands that change the certificate of one Service at the same time: the second is refused,
 * and names the first. APISVC_THOROUGH=1 tries `secure` too.
 */

/** Slows rollouts down, so that the first command holds the Lease for longer than one renewal. */
const setMinReadySeconds = (name: string, minReadySeconds: number): Promise<string> =>
  kubectlOk(['patch', 'deployment', name, '-n', name, '--type=merge', '-p', JSON.stringify({ spec: { minReadySeconds } })]);

const namesTheFirst = (name: string) => ({
  exitCode: 1,
  errors: expect.stringMatching(
    new RegExp(
      `^error: \\S+@\\S+ has been changing the certificate of Service ${name}/${name} since \\S+\\nfix: Wait until that run is complete\\.`,
    ),
  ),
});

describe('rotate and register', () => {
  const name = 'together';
  let project: AnyApiProject;

  beforeAll(async () => {
    project = await installAnyApiProject({ name, replicas: 1 });
  });

  afterAll(() => removeAnyApiProject(project, name));

  test('rotate is refused while register changes the server and the APIService', async () => {
    const before = await expectAgreement(project, name);
    await setMinReadySeconds(name, 8);
    editConfiguration(project.dir, (document) => {
      document.addIn(['spec', 'server', 'args'], '--close-connections');
      document.setIn(['spec', 'apis', 0, 'versionPriority'], 20);
    });
    const registering = apisvc(['register', '-C', project.dir]);
    await waitForOutput(registering, new RegExp(`deployment/${name}/${name} configured`));
    expect(await rotateRefused(project)).toMatchObject(namesTheFirst(name));
    const { exitCode, stderr } = await registering;
    expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(await expectAgreement(project, name)).toEqual(before);
    await setMinReadySeconds(name, 0);
  });

  test('register is refused while rotate waits for the pods, also in a copy of the project', async () => {
    const before = await expectAgreement(project, name);
    const copy = join(emptyFolder(), 'copy');
    cpSync(project.dir, copy, { recursive: true });
    const rotating = apisvc(['rotate', '-C', project.dir, '--nudge'], { timeout: 120_000 });
    await waitForOutput(rotating, /==> Waiting until every endpoint/);
    const [here, there] = await Promise.all([project.dir, copy].map((dir) => apisvc(['register', '-C', dir])));
    expect(here).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/^error: a rotation is in progress: \S+\/certs\/next exists\n/),
    });
    expect(there).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(
        new RegExp(
          `a rotation of the certificate of Service ${name}/${name} is not complete: it started at \\S+, and \\S+@\\S+ ran it last\\n`,
        ),
      ),
    });
    const { exitCode, stderr } = await rotating;
    expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect((await expectAgreement(project, name)).leaf).not.toEqual(before.leaf);
  });
});

describe.runIf(isThorough)('rotate and secure', () => {
  const name = 'together-secure';

  test('rotate is refused while secure changes the server', async () => {
    const home = emptyFolder();
    const { apiService, target } = await installInsecure({ name, replicas: 1 });
    const project: AnyApiProject = { dir: join(home, name), apiService, target };
    try {
      await setMinReadySeconds(name, 8);
      const securing = apisvc(['secure', apiService, '--yes', '--timeout', '3m'], { cwd: home, timeout: 200_000 });
      await waitForOutput(securing, new RegExp(`deployment/${name}/${name} configured`));
      expect(await rotateRefused(project)).toMatchObject(namesTheFirst(name));
      const { exitCode, stderr } = await securing;
      expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
      await expectAgreement(project, name);
    } finally {
      await removeAnyApiProject(project, name);
    }
  });
});
