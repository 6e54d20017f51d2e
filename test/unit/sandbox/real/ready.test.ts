import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ClusterError, DeadlineError } from '../../../../src/errors.ts';
import { waitUntil } from '../../../../src/sandbox/real/ready.ts';
import type { RunningProcess } from '../../../../src/sandbox/shared/process.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'apisvc-ready-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function etcd(log: string, ended: string | undefined): RunningProcess {
  const logFile = join(folder, 'etcd.log');
  writeFileSync(logFile, log);
  return { name: 'etcd', program: '/bin/etcd', logFile, ended: () => ended, gone: Promise.resolve(), stop: async () => {} };
}

const no = async () => false;
const never = new AbortController().signal;

test('returns as soon as the condition holds', async () => {
  let asked = 0;
  await waitUntil('etcd', async () => ++asked === 3, { processes: [etcd('', undefined)], signal: never });
  expect(asked).toBe(3);
});

test('a process that ends is the reason, with its last message, and its last lines as the cause', async () => {
  const wait = waitUntil('kube-apiserver', no, {
    processes: [etcd('starting\naddress already in use\n', 'exited with code 1')],
    signal: never,
  });
  const error = await wait.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ClusterError);
  expect(error).toMatchObject({
    message: 'etcd exited with code 1: address already in use',
    fix: `Check the log: ${join(folder, 'etcd.log')}`,
    cause: { message: 'starting\naddress already in use' },
  });
});

test('a process that ends with an empty log', async () => {
  const wait = waitUntil('kube-apiserver', no, { processes: [etcd('', 'was killed by SIGKILL')], signal: never });
  await expect(wait).rejects.toMatchObject({
    message: 'etcd was killed by SIGKILL, and its log is empty',
    fix: 'Check that etcd runs on this host: /bin/etcd --version',
  });
});

const stack = 'goroutine 1 [running]:\nmain.run({0x1, 0x2})\n\tgo.etcd.io/etcd/server/v3@v3.7.3/main.go:31 +0x28\n';

test.each([
  ['a panic', `starting\npanic: no quorum\n\n${stack}`, 'panic: no quorum'],
  ['a signal of the Go runtime', `SIGSEGV: segmentation violation\nPC=0x1 m=0 sigcode=0\n\n${stack}`, 'SIGSEGV: segmentation violation'],
  [
    'an entry in JSON',
    `{"level":"fatal","msg":"failed to start","error":"address already in use","stacktrace":"main.main"}\npanic: failed to start\n\n${stack}`,
    'failed to start: address already in use',
  ],
  [
    'an error of klog before later lines',
    'E1128 08:03:12.5 1 run.go:72] "command failed" err="x"\nI1128 08:03:12.6 1 a.go:1] bye\n',
    'E1128 08:03:12.5 1 run.go:72] "command failed" err="x"',
  ],
  ['only a stack trace below a line', `about to fail\n${stack}`, 'about to fail'],
])('the last message is %s, never a stack frame', async (_, log, expected) => {
  const wait = waitUntil('kube-apiserver', no, { processes: [etcd(log, 'exited with code 2')], signal: never });
  await expect(wait).rejects.toThrow(new RegExp(`^etcd exited with code 2: ${expected.replace(/[[\]().]/g, '\\$&')}$`));
});

test('a process that ends because the disk is full', async () => {
  const log = `{"level":"panic","msg":"failed to create WAL","error":"no space left on device"}\npanic: failed to create WAL\n${stack}`;
  const wait = waitUntil('kube-apiserver', no, { processes: [etcd(log, 'exited with code 2')], signal: never });
  await expect(wait).rejects.toMatchObject({
    exitCode: 2,
    message: `etcd exited with code 2: failed to write ${folder}: no space left on the device`,
    fix: 'Free some space, or set TMPDIR to a directory on another file system.',
  });
});

test('the deadline ends the wait and names the condition', async () => {
  const wait = waitUntil('kube-apiserver', no, { processes: [etcd('starting\n', undefined)], signal: AbortSignal.timeout(20) });
  const error = await wait.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(DeadlineError);
  expect(error).toMatchObject({ message: 'timed out waiting for kube-apiserver', fix: `Check the logs: ${join(folder, 'etcd.log')}` });
});
