import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { makeFolders, removeMadeFolders } from '../../cluster/harness/node/machine-folders.ts';
import { folder } from '../project/folder.ts';

/** A machine with the first of two folders, after a node was started on it. */
async function started() {
  const machine = folder();
  const [present, made] = [join(machine, 'present'), join(machine, 'a', 'made')];
  const networks = join(machine, 'netns');
  for (const path of [present, networks]) mkdirSync(path);
  await execa('sh', ['-ec', makeFolders([present, made])]);
  return { present, made, networks, remove: () => removeMadeFolders([present, made], networks) };
}

test('a folder that we made goes, one that was there stays, even if it is empty', async () => {
  const { present, made, remove } = await started();
  expect(existsSync(made)).toBe(true);
  await remove();
  expect(existsSync(made)).toBe(false);
  expect(readdirSync(present)).toEqual([]);
  await remove();
});

test('what somebody has put there since stays, and nothing of ours beside it', async () => {
  const { made, remove } = await started();
  writeFileSync(join(made, 'theirs'), '');
  await remove();
  expect(readdirSync(made)).toEqual(['theirs']);
});

test('no folder goes while another run may use it', async () => {
  const { made, networks, remove } = await started();
  writeFileSync(join(networks, 'apisvc-1-2-abc'), '');
  await remove();
  expect(existsSync(made)).toBe(true);
});
