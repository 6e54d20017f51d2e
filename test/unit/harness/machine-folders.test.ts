import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { createFolders, removeCreatedFolders } from '../../cluster/harness/node/machine-folders.ts';
import { folder } from '../project/folder.ts';

/** Runs the commands of a node start where one of two folders exists already. */
async function started() {
  const machine = folder();
  const [present, made] = [join(machine, 'present'), join(machine, 'a', 'made')];
  const networks = join(machine, 'netns');
  for (const path of [present, networks]) mkdirSync(path);
  await execa('sh', ['-ec', createFolders([present, made])]);
  return { present, made, networks, remove: () => removeCreatedFolders([present, made], networks) };
}

test('a created folder is removed, an existing one stays even if it is empty', async () => {
  const { present, made, remove } = await started();
  expect(existsSync(made)).toBe(true);
  await remove();
  expect(existsSync(made)).toBe(false);
  expect(readdirSync(present)).toEqual([]);
  await remove();
});

test('a created folder with other files stays, without the mark file', async () => {
  const { made, remove } = await started();
  writeFileSync(join(made, 'theirs'), '');
  await remove();
  expect(readdirSync(made)).toEqual(['theirs']);
});

test('no folder is removed while another run may use it', async () => {
  const { made, networks, remove } = await started();
  writeFileSync(join(networks, 'apisvc-1-2-abc'), '');
  await remove();
  expect(existsSync(made)).toBe(true);
});
