import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folder } from '../project/folder.ts';

test('npm ci does not run if node_modules is a symbolic link', () => {
  const [dir, target] = [folder(), folder()];
  mkdirSync(join(dir, 'scripts'));
  copyFileSync(join(import.meta.dirname, '..', '..', '..', 'scripts', 'setup.mjs'), join(dir, 'scripts', 'setup.mjs'));
  writeFileSync(join(dir, 'package-lock.json'), '{}');
  writeFileSync(join(target, 'installed'), '');
  symlinkSync(target, join(dir, 'node_modules'));
  const script = "import { install } from './scripts/setup.mjs'; console.log(install())";
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: dir, encoding: 'utf8' });
  expect({ stdout, stderr }).toMatchObject({ stdout: 'false\n', stderr: expect.stringContaining('node_modules is a symbolic link') });
  expect(readdirSync(target)).toEqual(['installed']);
});
