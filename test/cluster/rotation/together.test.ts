import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type AnyApiProject, removeAnyApiProject } from '../harness/any-api-project.ts';
import { apisvc } from '../harness/commands.ts';
import { emptyFolder, waitForOutput } from '../harness/projects.ts';
import { expectAgreement, namesTheFirst, rotateRefused, setMinReadySeconds } from '../harness/rotations.ts';
import { installInsecure } from '../harness/secured.ts';
import { isThorough } from '../harness/thorough.ts';

/** options.test.ts has `register` in the place of `secure`, for every run. */

const name = 'together';

test.runIf(isThorough)('rotate is refused while secure changes the server', async () => {
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
