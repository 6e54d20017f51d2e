import { readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { contents, folder } from '../unit/project/folder.ts';
import { apisvc, sampleProject } from './apisvc.ts';

/** Commands that would replace or apply certs/ refuse while certs/next exists. */

async function inRotation(): Promise<string> {
  const cwd = folder();
  const dir = await sampleProject(cwd);
  renameSync(join(await sampleProject(folder(), 'other'), 'certs'), join(dir, 'certs/next'));
  return cwd;
}

/** The text of every file. */
function textsIn(dir: string): Record<string, string> {
  const files = contents(dir).filter((name) => statSync(join(dir, name)).isFile());
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(dir, name), 'utf8')]));
}

const sample = ['--preset', 'sample-apiserver', '--yes'];

test.each([
  [['init', 'demo', '--yes']],
  [['init', 'demo', '--force-keys']],
  [['init', 'demo', '--force', ...sample]],
  [['init', 'demo', '--force', '--force-keys', ...sample]],
  [['register', '-C', 'demo']],
  [['register', '-C', 'demo', '--force-conflicts']],
  [['register', '-C', 'demo', '--dry-run=client']],
  [['register', '-C', 'demo', '--dry-run=server']],
  [['register', '-C', 'demo', '--diff']],
])('%j is refused, and every file stays', async (args) => {
  const cwd = await inRotation();
  const before = textsIn(join(cwd, 'demo'));
  expect(await apisvc(args, { cwd })).toEqual({
    code: 1,
    stdout: '',
    stderr: [
      'error: a rotation is in progress: demo/certs/next exists',
      'fix: If the rotation is running, wait until it is complete. To see its progress: apisvc status -C demo',
      'If the rotation was interrupted, continue it: apisvc rotate -C demo',
      'Or roll back to the old certificates: apisvc rotate --abort -C demo',
      '',
    ].join('\n'),
  });
  expect(textsIn(join(cwd, 'demo'))).toEqual(before);
});

test('the commands of the fix use the cluster of the command', async () => {
  const cwd = await inRotation();
  const { stderr } = await apisvc(['register', '-C', 'demo', '--context=staging'], { cwd });
  expect(stderr).toContain('If the rotation was interrupted, continue it: apisvc rotate --context=staging -C demo\n');
  expect(stderr).toContain('to the old certificates: apisvc rotate --context=staging --abort -C demo\n');
});
