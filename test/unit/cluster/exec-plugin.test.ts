import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connect } from '../../../src/cluster/cluster.ts';
import { apisvc } from '../../cli/apisvc.ts';
import { filesOf, kubeconfig, never } from './kube-api.ts';

/** A kubeconfig whose user is a credential plugin, written as a shell script. */
function withPlugin(script: string): { readonly dir: string; readonly config: string } {
  const dir = filesOf({ plugin: `#!/bin/sh\n${script}\n` });
  chmodSync(join(dir, 'plugin'), 0o755);
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: join(dir, 'plugin'), interactiveMode: 'Never' };
  const users = [{ name: 'test', user: { exec } }];
  writeFileSync(join(dir, 'config'), JSON.stringify({ ...kubeconfig('https://192.0.2.1'), users }));
  return { dir, config: join(dir, 'config') };
}

/** Says its process id, then hangs, deaf to SIGTERM. */
const hanging = `trap '' TERM; echo $$ > "$(dirname "$0")/pid"; exec sleep 300`;

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

async function expectGone(dir: string): Promise<void> {
  const pid = Number(readFileSync(join(dir, 'pid'), 'utf8'));
  expect(pid).toBeGreaterThan(1);
  await expect.poll(() => isRunning(pid), { timeout: 2_000, interval: 10 }).toBe(false);
}

test('a plugin that hangs does not outlive the command, which says that its time is up', async () => {
  const { dir, config } = withPlugin(hanging);
  const ran = await apisvc(['verify', 'v1.example.com', '--kubeconfig', config, '--timeout', '1s'], { cwd: dir });
  expect(ran).toMatchObject({ code: 124, stdout: '', stderr: expect.stringMatching(/^error: timed out after 1s [^\n]+\n/) });
  await expectGone(dir);
});

test('the signal ends the plugin and the connecting', async () => {
  const { dir, config } = withPlugin(hanging);
  const stop = new AbortController();
  const connecting = connect({ kubeconfig: config }, {}, stop.signal).catch((error: unknown) => error);
  await expect
    .poll(() => existsSync(join(dir, 'pid')) && readFileSync(join(dir, 'pid'), 'utf8'), { timeout: 5_000, interval: 10 })
    .toMatch(/\d\n/);
  stop.abort(new Error('enough'));
  expect(await connecting).toBeInstanceOf(Error);
  await expectGone(dir);
});

test('a plugin that answers gives the credentials', async () => {
  const credential = { kind: 'ExecCredential', apiVersion: 'client.authentication.k8s.io/v1', status: { token: 'a-token' } };
  const { config } = withPlugin(`echo '${JSON.stringify(credential)}'`);
  const cluster = await connect({ kubeconfig: config }, {}, never);
  expect(cluster.user).toBe('test');
  cluster.close();
});

test('one that fails is quoted', async () => {
  const { config } = withPlugin('echo "please log in" >&2; exit 1');
  await expect(connect({ kubeconfig: config }, {}, never)).rejects.toThrow(
    'the credentials of context "test" can\'t be had: please log in',
  );
});
