import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { plainEnv } from './apisvc.ts';

const root = join(import.meta.dirname, '..', '..');

test('a command whose files are removed by an upgrade ends with one error', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'apisvc-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const part of ['bin', 'dist', 'package.json']) cpSync(join(root, part), join(folder, part), { recursive: true });
  const silent = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void silent.close());
  await once(silent, 'listening');
  const cluster = { server: `http://127.0.0.1:${(silent.address() as AddressInfo).port}` };
  const kubeconfig = {
    clusters: [{ name: 'c', cluster }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: '' } }],
    'current-context': 'c',
  };
  writeFileSync(join(folder, 'kubeconfig'), JSON.stringify(kubeconfig));
  const running = execa(join(folder, 'bin', 'apisvc.js'), ['verify', 'v1.example.com', '--kubeconfig', join(folder, 'kubeconfig')], {
    env: plainEnv,
    extendEnv: false,
    reject: false,
    timeout: 20_000,
    forceKillAfterDelay: 100,
  });
  const [socket] = await once(silent, 'connection');
  onTestFinished(() => socket.destroy());
  rmSync(join(folder, 'dist'), { recursive: true });
  running.kill('SIGINT');
  const { exitCode, stdout, stderr } = await running;
  expect({ exitCode, stdout, stderr }).toEqual({
    exitCode: 70,
    stdout: '',
    stderr: 'error: the apisvc files were replaced or removed while apisvc was running\nfix: Run the command again.',
  });
});
