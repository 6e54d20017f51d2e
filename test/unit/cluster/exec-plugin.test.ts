import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connect } from '../../../src/cluster/cluster.ts';
import { make } from '../pki/certificates.ts';
import { answer, filesOf, kubeconfig, never, serve } from './kube-api.ts';
import { expectGone, hanging, withPlugin } from './plugin.ts';

test('the signal ends the plugin and the connection attempt', async () => {
  const { dir, config } = withPlugin(hanging);
  const stop = new AbortController();
  const connecting = connect({ kubeconfig: config }, {}, stop.signal).catch((error: unknown) => error);
  await expect
    .poll(() => existsSync(join(dir, 'pid')) && readFileSync(join(dir, 'pid'), 'utf8'), { timeout: 5_000, interval: 10 })
    .toMatch(/\d\n/);
  stop.abort(new Error('enough'));
  expect(await connecting).toMatchObject({ message: 'enough' });
  await expectGone(dir);
});

/** The Authorization header of a request with the credentials of a plugin. */
async function authorizationWith(script: string, exec: object = {}): Promise<string | undefined> {
  let sent: string | undefined;
  const server = await serve(({ headers }, response) => {
    sent = headers.authorization;
    answer(response, 200, {});
  });
  const { config } = withPlugin(script, exec, server);
  const cluster = await connect({ kubeconfig: config }, process.env, never);
  await cluster.request({ path: '/', signal: never });
  cluster.close();
  return sent;
}

test('a plugin prints the credentials', async () => {
  const credential = { kind: 'ExecCredential', apiVersion: 'client.authentication.k8s.io/v1', status: { token: 'a-token' } };
  const sent = await authorizationWith(`echo '${JSON.stringify(credential)}'`);
  expect(sent).toBe('Bearer a-token');
});

test('a plugin gets its own variables and those of KUBERNETES_EXEC_INFO', async () => {
  const print = `printf '{"status": {"token": "%s"}}' "$(printf %s "$ROLE $KUBERNETES_EXEC_INFO" | base64 | tr -d '\\n')"`;
  const sent = await authorizationWith(print, { env: [{ name: 'ROLE', value: 'admin' }], provideClusterInfo: true });
  const [role, ...info] = Buffer.from(`${sent?.replace('Bearer ', '')}`, 'base64')
    .toString()
    .split(' ');
  expect(role).toBe('admin');
  expect(JSON.parse(info.join(' '))).toEqual({
    kind: 'ExecCredential',
    apiVersion,
    spec: { interactive: false, cluster: { server: expect.stringMatching(/^http:/), 'insecure-skip-tls-verify': true } },
  });
});

test('a plugin prints a client certificate', async () => {
  const { info, keyPair } = await make({ commonName: 'jane' });
  const clientKeyData = keyPair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const status = { clientCertificateData: info.pem, clientKeyData };
  const { config } = withPlugin(`cat <<'END'\n${JSON.stringify({ status })}\nEND`);
  const cluster = await connect({ kubeconfig: config }, process.env, never);
  expect(cluster.clientCertificate).toBe(info.pem);
  cluster.close();
});

test('a plugin that is not installed has its install hint as the fix', async () => {
  const exec = { command: 'no-such-plugin', apiVersion, installHint: 'Install it from https://example.org.\n' };
  const config = JSON.stringify({ ...kubeconfig('https://192.0.2.1'), users: [{ name: 'test', user: { exec } }] });
  await expect(connect({ kubeconfig: join(filesOf({ config }), 'config') }, {}, never)).rejects.toMatchObject({
    message: 'failed to get credentials for context "test": command "no-such-plugin" not found',
    fix: 'Install it from https://example.org.',
  });
});

test.each([
  ['its stderr, if it fails', 'echo "please log in" >&2; exit 1', 'please log in'],
  ['nothing to say, if it fails without a message', 'exit 1', 'the credential plugin failed without a message'],
  ['no JSON', 'echo hi', 'the credential plugin did not print an ExecCredential as JSON'],
  ['JSON without credentials', 'echo "{}"', 'the credential plugin printed neither a token nor a client certificate with its key'],
  ['null', 'echo null', 'the credential plugin printed neither a token nor a client certificate with its key'],
])('the error of a plugin says %s', async (_, script, reason) => {
  const { config } = withPlugin(script);
  await expect(connect({ kubeconfig: config }, {}, never)).rejects.toThrow(`failed to get credentials for context "test": ${reason}`);
});

const apiVersion = 'client.authentication.k8s.io/v1';

test.each([
  ['a command that does not exist', { exec: { command: 'no-such-plugin', apiVersion } }, 'command "no-such-plugin" not found'],
  ['a command that is a directory', { exec: { command: '/tmp', apiVersion } }, 'command "/tmp" cannot be used: permission denied'],
  ['a certificate file that does not exist', { 'client-certificate': '/nope', 'client-key': '/nope' }, '/nope not found'],
])('the error of %s has no message of Node', async (_, user, reason) => {
  const config = JSON.stringify({ ...kubeconfig('https://192.0.2.1'), users: [{ name: 'test', user }] });
  await expect(connect({ kubeconfig: join(filesOf({ config }), 'config') }, {}, never)).rejects.toThrow(
    `failed to get credentials for context "test": ${reason}`,
  );
});
