import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { localProgram } from '../../../../src/sandbox/node/local-program.ts';
import { ownerOf } from '../../../../src/sandbox/shared/owner.ts';
import type { ContainerStart, RunningContainer } from '../../../../src/sandbox/shared/program.ts';

const base: ContainerStart = {
  namespace: 'ns',
  pod: 'pod',
  name: 'server',
  command: [],
  args: [],
  env: { GREETING: 'hello' },
  kubeconfig: '/tmp/kubeconfig',
  mounts: {},
  port: 40_001,
  declaredPort: 8443,
  podAddress: '127.0.0.1',
  log: () => {},
};

/** Runs a script of sh. */
async function run(script: string, change: Partial<ContainerStart> = {}): Promise<RunningContainer & { readonly said: string[] }> {
  const said: string[] = [];
  return { said, ...(await localProgram(['sh', '-c', script]).start({ ...base, log: (text) => said.push(text), ...change })) };
}

test('both outputs go to the log, and the exit code is reported', async () => {
  const { said, ended } = await run('echo "$GREETING $KUBECONFIG $APISVC_PORT"; printf "no end" >&2; exit 3');
  expect(await ended).toBe(3);
  expect(said.sort()).toEqual(['hello /tmp/kubeconfig 40001\n', 'no end\n']);
});

test('the certificate is found in the arguments, or in a mounted folder', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'apisvc-unit-'));
  writeFileSync(join(folder, 'tls.crt'), '');
  const print = 'echo "$APISVC_TLS_CERT_FILE $APISVC_TLS_PRIVATE_KEY_FILE"';
  const [mounted, named] = [
    await run(print, { mounts: { '/a': '/none', '/b': folder } }),
    await run(print, { args: ['--tls-cert-file', '/c', '--tls-private-key-file=/k'] }),
  ];
  await Promise.all([mounted.ended, named.ended]);
  expect([mounted.said, named.said]).toEqual([[`${join(folder, 'tls.crt')} ${join(folder, 'tls.key')}\n`], ['/c /k\n']]);
  rmSync(folder, { recursive: true });
});

// Only /proc shows that a zombie has ended.
test.runIf(process.platform === 'linux')('stop ends the program and its child processes', async () => {
  const { said, stop, ended } = await run('sleep 1000 & echo $!; wait');
  await expect.poll(() => said.length).toBe(1);
  expect(ownerOf(Number(said[0]))).toBeDefined();
  await stop();
  expect(await ended).toBe(143);
  await expect.poll(() => ownerOf(Number(said[0]))).toBeUndefined();
  await stop();
});

test.runIf(process.platform === 'linux')('the child processes of a program end with it', async () => {
  const { said, ended } = await run('sleep 1000 & echo $!; exit 0');
  expect(await ended).toBe(0);
  await expect.poll(() => ownerOf(Number(said[0]))).toBeUndefined();
});

test.each([
  ['no-such-program-of-apisvc', 'cannot run "no-such-program-of-apisvc": not found on PATH'],
  ['./no-such-file', 'cannot run "./no-such-file": file not found'],
  [tmpdir(), `cannot run "${tmpdir()}": not an executable file`],
])('a command that cannot be run is rejected at once: %s', (program, message) => {
  expect(() => localProgram([program])).toThrow(expect.objectContaining({ name: 'UsageError', message }));
});
