import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { folder } from '../unit/project/folder.ts';
import { inShell, type Ran, shell } from './apisvc.ts';

const asNobody = process.getuid?.() === 0 ? 'setpriv --reuid 65534 --regid 65534 --clear-groups ' : '';
const longName = 'x'.repeat(300);

/**
 * A folder with paths that cannot be used: `file`, `dir`, `loop`, and `secret`, which nobody may
 * read.
 */
function obstacles(): string {
  const cwd = folder();
  for (const name of ['dir', 'secret', 'assets']) mkdirSync(`${cwd}/${name}`);
  for (const name of ['file', 'assets/etcd', 'assets/kube-apiserver']) writeFileSync(`${cwd}/${name}`, '');
  symlinkSync('loop', `${cwd}/loop`);
  chmodSync(`${cwd}/secret`, 0);
  chmodSync(cwd, 0o755);
  return cwd;
}

/** Runs apisvc as a user without rights. */
const run = (args: string, cwd: string, before = ''): Promise<Ran> => shell(`${before}${asNobody}${inShell} ${args}`, cwd);

const denied = 'fix: Give the current user read access, or choose another path. To see the permissions: ls -ld ';
const closed =
  'fix: Give the current user execute permission (x) on the directory, or choose another path. To see the permissions: ls -ld secret';
const linked = 'fix: Check the path: a symbolic link in it points to itself.';

describe('a path that cannot be used: exit 2, one error, one fix', () => {
  test.each([
    ['lint secret', 'error: failed to read secret: permission denied', `${denied}secret`],
    ['lint secret/a.yaml', 'error: failed to read secret: permission denied', closed],
    ['lint loop', 'error: failed to read loop: too many levels of symbolic links', linked],
    ['lint file/a.yaml', 'error: failed to read file/a.yaml: not a directory', 'fix: Check the path.'],
    [`lint ${longName}`, `error: failed to read ${longName}: file name too long`, 'fix: Use a shorter path.'],
    ['verify --from dir', 'error: failed to read dir: it is a directory', 'fix: Specify a file instead of a directory.'],
    ['verify --from secret/a', 'error: failed to read secret: permission denied', closed],
    ['verify v1.apps --kubeconfig loop', 'error: failed to read loop: too many levels of symbolic links', linked],
    [
      'verify v1.apps --kubeconfig dir',
      'error: failed to read kubeconfig dir: it is a directory',
      'fix: Specify a file instead of a directory.',
    ],
    ['init new --preset demo --ca-cert secret/a --ca-key file', 'error: failed to read secret: permission denied', closed],
    ['init secret --preset demo', 'error: failed to write secret/certs: permission denied', `${denied.replace('read', 'write')}secret`],
    ['init dir --preset demo', 'error: failed to write dir/apisvc.yaml: permission denied', `${denied.replace('read', 'write')}dir`],
    ['init file --preset demo', 'error: failed to write file/certs: not a directory', 'fix: Check the path.'],
    ['render -C none', 'error: directory none does not exist', 'fix: Check the path, or create a project at this path: apisvc init none'],
    ['register -C /etc/passwd', 'error: /etc/passwd is not a directory', 'fix: Set -C to the directory of a project.'],
    ['secure v1.apps -C file --yes', 'error: file is not a directory', 'fix: Set -C to the directory of a project.'],
    ['secure v1.apps -C file/x --yes', 'error: file is not a directory', 'fix: Set -C to the directory of a project.'],
    ['secure v1.apps -C /dev/null --undo', 'error: /dev/null is not a directory', 'fix: Set -C to the directory of a project.'],
    ['verify -C none', 'error: directory none does not exist', 'fix: Check the path, or create a project at this path: apisvc init none'],
    [
      'sandbox -C none -- true',
      'error: directory none does not exist',
      'fix: Check the path, or create a project at this path: apisvc init none',
    ],
    ['render -C dir', 'error: dir/apisvc.yaml not found', 'fix: Set the project directory with -C, or create a project: apisvc init dir'],
    ['render -C secret', 'error: failed to read secret: permission denied', closed],
    ['sandbox --assets secret', 'error: failed to read secret: permission denied', `${denied}secret`],
    ['sandbox --assets none', 'error: failed to read none: no such file or directory', 'fix: Check the path.'],
    [
      'sandbox --assets assets',
      'error: --assets: permission denied to run etcd and kube-apiserver in assets',
      'fix: chmod a+x assets assets/etcd assets/kube-apiserver',
    ],
    ['sandbox --write-kubeconfig secret/a', 'error: failed to read secret: permission denied', closed],
    ['sandbox --engine simulated --write-kubeconfig none/a', 'error: directory none does not exist', 'fix: mkdir -p none'],
  ])('%s', async (args, error, fix) => {
    const { code, stdout, stderr } = await run(args, obstacles());
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: `${error}\n${fix}\n` });
  });

  test('KUBECONFIG names a file that does not exist', async () => {
    const { code, stderr } = await run('verify v1.apps', obstacles(), 'KUBECONFIG=none:nope ');
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'error: kubeconfig none:nope not found\nfix: Set KUBECONFIG to an existing file.\n',
    });
  });

  test('a shell that allows few open files is enough to start', async () => {
    const { code, stderr } = await run('explain cert', obstacles(), 'ulimit -n 24; ');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});
