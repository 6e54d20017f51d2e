import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connect } from '../../../src/cluster/cluster.ts';
import { filesOf, kubeconfig, never } from './kube-api.ts';
import { expectGone, hanging, withPlugin } from './plugin.ts';

test('the signal ends the plugin and the connection attempt', async () => {
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

test('a plugin prints the credentials', async () => {
  const credential = { kind: 'ExecCredential', apiVersion: 'client.authentication.k8s.io/v1', status: { token: 'a-token' } };
  const { config } = withPlugin(`echo '${JSON.stringify(credential)}'`);
  const cluster = await connect({ kubeconfig: config }, {}, never);
  expect(cluster.user).toBe('test');
  cluster.close();
});

test.each([
  ['its stderr, if it fails', 'echo "please log in" >&2; exit 1', 'please log in'],
  ['nothing to say, if it fails without a message', 'exit 1', 'the credential plugin failed without a message'],
  ['no JSON', 'echo hi', 'the credential plugin did not print an ExecCredential as JSON'],
])('the error of a plugin says %s', async (_, script, reason) => {
  const { config } = withPlugin(script);
  await expect(connect({ kubeconfig: config }, {}, never)).rejects.toThrow(`failed to get credentials for context "test": ${reason}`);
});

const apiVersion = 'client.authentication.k8s.io/v1';

test.each([
  ['a command that does not exist', { exec: { command: 'no-such-plugin', apiVersion } }, 'command "no-such-plugin" not found'],
  ['a command that is a directory', { exec: { command: '/tmp', apiVersion } }, 'command "/tmp" cannot be used: permission denied'],
  ['a certificate file that does not exist', { 'client-certificate': '/nope', 'client-key': '/nope' }, '/nope not found'],
])('the error of %s has no words of Node', async (_, user, reason) => {
  const config = JSON.stringify({ ...kubeconfig('https://192.0.2.1'), users: [{ name: 'test', user }] });
  await expect(connect({ kubeconfig: join(filesOf({ config }), 'config') }, {}, never)).rejects.toThrow(
    `failed to get credentials for context "test": ${reason}`,
  );
});
