import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { apisvc, bin, type Ran, shell } from '../cli/apisvc.ts';
import { emptyFolder, registeredDemo } from './harness.ts';

/** Mounts of a command in its own namespaces; they end with the command. */
const namespaces = ['unshare', '--user', '--map-root-user', '--mount'];
const canMount = spawnSync('unshare', [...namespaces.slice(1), 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;

/**
 * Runs a line of shell in which `full` is a mounted file system of that size and TMPDIR is on it.
 */
function withDisk(size: string, script: string, cwd: string): Promise<Ran> {
  const full = join(cwd, 'full');
  mkdirSync(full);
  writeFileSync(join(cwd, 'script'), `mount -t tmpfs -o size=${size} tmpfs ${full} && ${script}`);
  return shell(`TMPDIR=${full} ${namespaces.join(' ')} sh script`, cwd);
}

const fix = 'fix: Free some space, or set TMPDIR to a directory on another file system.\n';

describe.skipIf(!canMount)('a disk without space', () => {
  test.each(['4k', '8k', '64k'])('of %s for the files of the control plane', async (size) => {
    const { code, stdout, stderr } = await withDisk(size, `${bin} sandbox --engine simulated --once`, emptyFolder());
    expect({ code, stdout }).toEqual({ code: 70, stdout: '' });
    expect(stderr).toMatch(/^error: failed to write \S+\/full\/apisvc-\S+: no space left on the device\n/);
    expect(stderr.endsWith(fix)).toBe(true);
    expect(stderr.split('\n')).toHaveLength(3);
  });

  test.each(['--once', ''])('that fills up while a pod starts ends the sandbox %s', async (once) => {
    const { code, stdout, stderr } = await withDisk('80k', `${bin} sandbox --engine simulated ${once}`, emptyFolder());
    expect({ code, stdout }).toEqual({ code: 70, stdout: '' });
    expect(stderr).toMatch(/\nerror: failed to write \S+\/node: no space left on the device\nfix: /);
    expect(stderr.endsWith(fix)).toBe(true);
    expect(stderr).not.toContain('ENOSPC');
    expect(stderr.match(/error: /g)).toHaveLength(1);
  });

  test('ends a rotation before it changes the cluster', async () => {
    const { cwd, box } = await registeredDemo();
    const script = `cp -r demo full; cat /dev/zero > full/rest; KUBECONFIG=${box.env.KUBECONFIG} ${bin} rotate -C full/demo`;
    const { code, stderr } = await withDisk('256k', script, cwd);
    expect(code).toBe(70);
    expect(stderr).toMatch(
      /error: failed to write full\/demo\/certs\/next: no space left on the device\nnothing in the cluster was changed\nfix: /,
    );
  });

  test('for the files of a project, and for a report', async () => {
    const cwd = emptyFolder();
    const script = `${bin} init full/p --preset demo --yes; echo $?; ${bin} init p --preset demo --yes -q; ${bin} render -C p -d full/m; echo $?`;
    const { stdout, stderr } = await withDisk('8k', script, cwd);
    expect(stdout.match(/^\d+$/gm)).toEqual(['70', '70']);
    expect(stderr.match(/^error: failed to write full\/\S+: no space left on the device$/gm)).toHaveLength(2);
    expect(stderr.match(/^fix: Free some space, or choose a directory on another file system\.$/gm)).toHaveLength(2);
  });

  test('for the whole of stdout', async () => {
    const cwd = emptyFolder();
    const script = `${bin} init p --preset demo --yes -q; head -c 12287 /dev/zero > full/rest; ${bin} render -q -C p > full/out; echo $?; wc -c < full/out`;
    expect(await withDisk('16k', script, cwd)).toEqual({
      code: 0,
      stdout: '70\n4096\n',
      stderr:
        'error: failed to write stdout: no space left on the device\nfix: Free some space, or choose a directory on another file system.\n',
    });
  });
});

test.each([
  [
    'with an empty log',
    'kill -SEGV $$',
    /^error: etcd was killed by SIGSEGV, and its log is empty\nfix: Check that etcd runs on this host: \S+\/etcd --version\n$/,
  ],
  [
    'with a stack trace',
    'printf "panic: no quorum\\n\\ngoroutine 1 [running]:\\nmain.main()\\n\\tmain.go:31 +0x28\\n"; exit 2',
    /^error: etcd exited with code 2: panic: no quorum\nfix: Run the same command with -v/,
  ],
])('a program of the real engine that ends %s', async (_, script, expected) => {
  const cwd = emptyFolder();
  for (const [name, text] of [
    ['etcd', script],
    ['kube-apiserver', 'sleep 30'],
  ] as const) {
    writeFileSync(join(cwd, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(cwd, name), 0o755);
  }
  const { code, stderr } = await apisvc(['sandbox', '--engine', 'real', '--assets', cwd, '--once'], { cwd });
  expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringMatching(expected) });
});
