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
  return { name: 'etcd', logFile, ended: () => ended, gone: Promise.resolve(), stop: async () => {} };
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
    fix: `Read ${join(folder, 'etcd.log')}.`,
    cause: { message: 'starting\naddress already in use' },
  });
});

test('a process that ends with an empty log', async () => {
  const wait = waitUntil('kube-apiserver', no, { processes: [etcd('', 'was killed by SIGKILL')], signal: never });
  await expect(wait).rejects.toThrow('etcd was killed by SIGKILL: its log is empty');
});

test('the deadline ends the wait and names the condition', async () => {
  const wait = waitUntil('kube-apiserver', no, { processes: [etcd('starting\n', undefined)], signal: AbortSignal.timeout(20) });
  const error = await wait.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(DeadlineError);
  expect(error).toMatchObject({ message: 'timed out waiting for kube-apiserver', fix: `Read ${join(folder, 'etcd.log')}.` });
});
