import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { moveProcessesDown } from '../../cluster/harness/node/cgroups.ts';
import { folder } from '../project/folder.ts';

/** The mount point of cgroup v2; undefined if it is not mounted or not writable. */
function mountPoint(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  const [, path, , options] = mounts.map((line) => line.split(' ')).find(([, , type]) => type === 'cgroup2') ?? [];
  return options?.startsWith('rw') ? path : undefined;
}

const v2 = mountPoint();
if (v2 !== undefined)
  test('the processes of a group are moved to a child group', async () => {
    const group = mkdtempSync(join(v2, 'apisvc-unit-'));
    const sleeping = execa('sleep', ['60'], { reject: false });
    onTestFinished(async () => {
      sleeping.kill('SIGKILL');
      await sleeping;
      for (const path of [join(group, 'processes'), group]) rmdirSync(path);
    });
    writeFileSync(join(group, 'cgroup.procs'), String(sleeping.pid));
    await moveProcessesDown(group);
    expect(readFileSync(join(group, 'cgroup.procs'), 'utf8')).toBe('');
    expect(readFileSync(join(group, 'processes', 'cgroup.procs'), 'utf8')).toBe(`${sleeping.pid}\n`);
  });

test('a process that cannot be moved is an error that names the group and a fix', async () => {
  const group = folder();
  mkdirSync(join(group, 'processes'));
  writeFileSync(join(group, 'cgroup.procs'), '0\n');
  const error = await moveProcessesDown(group).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UsageError);
  expect(error).toMatchObject({ message: expect.stringContaining(group), fix: expect.stringContaining('--cgroupns=host') });
  expect(readdirSync(group).sort()).toEqual(['cgroup.procs', 'processes']);
});
