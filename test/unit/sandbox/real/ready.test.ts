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

test('ends as soon as the answer is yes', async () => {
  let asked = 0;
  await waitUntil('etcd', async () => ++asked === 3, { processes: [etcd('', undefined)], signal: never });
  expect(asked).toBe(3);
});

test('a server that ends is the reason, in its own words, with the lines before them as the cause', async () => {
  const wait = waitUntil('kube-apiserver', no, { processes: [etcd('starting\naddress already in use\n', 'exit code 1')], signal: never });
  const error = await wait.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ClusterError);
  expect(error).toMatchObject({
    message: 'etcd ended with exit code 1: address already in use',
    fix: `See ${join(folder, 'etcd.log')}.`,
    cause: { message: 'starting\naddress already in use' },
  });
});

test('a server that ends without a word', async () => {
  const wait = waitUntil('kube-apiserver', no, { processes: [etcd('', 'signal SIGKILL')], signal: never });
  await expect(wait).rejects.toThrow('etcd ended with signal SIGKILL: it said nothing');
});

test('the deadline ends the wait and names what was waited for', async () => {
  const wait = waitUntil('kube-apiserver', no, { processes: [etcd('starting\n', undefined)], signal: AbortSignal.timeout(20) });
  const error = await wait.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(DeadlineError);
  expect(error).toMatchObject({ message: 'kube-apiserver was not ready in time', fix: `See ${join(folder, 'etcd.log')}.` });
});
