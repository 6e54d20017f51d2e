import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connect } from '../../../src/cluster/cluster.ts';
import { badCredentials } from '../../../src/cluster/status.ts';
import { type ClusterError, Exit } from '../../../src/errors.ts';
import { make } from '../pki/certificates.ts';
import { answer, never, serve } from './kube-api.ts';
import { expectGone, hanging, withPlugin } from './plugin.ts';

const apiVersion = 'client.authentication.k8s.io/v1';

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
  const print = `printf '{"apiVersion": "${apiVersion}", "status": {"token": "%s"}}' "$(printf %s "$ROLE $KUBERNETES_EXEC_INFO" | base64 | tr -d '\\n')"`;
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

test('a plugin gets the config of the cluster, but not the proxy of the environment', async () => {
  const print = `printf %s "$KUBERNETES_EXEC_INFO" > "$(dirname "$0")/info"; echo '{"apiVersion": "${apiVersion}", "status": {"token": "a"}}'`;
  const clusterWith = async (entry: object): Promise<object> => {
    const { dir, config } = withPlugin(print, { provideClusterInfo: true }, 'https://192.0.2.1', entry);
    (await connect({ kubeconfig: config }, { ...process.env, HTTPS_PROXY: 'http://proxy:3128' }, never)).close();
    return JSON.parse(readFileSync(join(dir, 'info'), 'utf8')).spec.cluster;
  };
  const config = { audience: '06e3fbd18de8', list: [1] };
  const extensions = [
    { name: 'other', extension: {} },
    { name: 'client.authentication.k8s.io/exec', extension: config },
  ];
  const told = { server: 'https://192.0.2.1', 'insecure-skip-tls-verify': false };
  expect(await clusterWith({ extensions, 'disable-compression': true })).toEqual({ ...told, config, 'disable-compression': true });
  expect(await clusterWith({ 'proxy-url': 'http://own:3128' })).toEqual({ ...told, 'proxy-url': 'http://own:3128' });
});

test('a plugin prints a client certificate', async () => {
  const { info, keyPair } = await make({ commonName: 'jane' });
  const clientKeyData = keyPair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const status = { clientCertificateData: info.pem, clientKeyData };
  const { config } = withPlugin(`cat <<'END'\n${JSON.stringify({ apiVersion, status })}\nEND`);
  const cluster = await connect({ kubeconfig: config }, process.env, never);
  expect(cluster.clientCertificate).toBe(info.pem);
  cluster.close();
});

test('a plugin that is not installed has its install hint as the fix', async () => {
  const { config } = withPlugin('', { command: 'no-such-plugin', installHint: 'Install it from https://example.org.\n' });
  await expect(connect({ kubeconfig: config }, {}, never)).rejects.toMatchObject({
    message: 'failed to get credentials for context "test": exec: executable no-such-plugin not found',
    fix: 'Install it from https://example.org.',
  });
});

const printing = (credential: object | string): string =>
  `cat <<'END'\n${typeof credential === 'string' ? credential : JSON.stringify({ apiVersion, kind: 'ExecCredential', ...credential })}\nEND`;

test.each([
  [
    'its last words, if it fails',
    'echo "trying" >&2; echo "please log in" >&2; exit 3',
    'exec: executable PLUGIN failed with exit code 3: please log in',
  ],
  ['its exit code, if it fails without a message', 'exit 1', 'exec: executable PLUGIN failed with exit code 1'],
  ['the signal that killed it', 'kill -9 $$', 'exec: executable PLUGIN was killed by SIGKILL'],
  ['nothing was printed', '', 'exec: executable PLUGIN printed no ExecCredential'],
  ['no JSON', printing('secret-token'), 'decoding stdout: executable PLUGIN did not print an ExecCredential as JSON'],
  ['null', printing('null'), 'decoding stdout: executable PLUGIN did not print an ExecCredential as JSON'],
  [
    'another version',
    printing({ apiVersion: `${apiVersion}beta1`, status: { token: 'secret-token' } }),
    `exec plugin is configured to use API version ${apiVersion}, plugin returned version ${apiVersion}beta1`,
  ],
  [
    'no version',
    printing('{"status": {"token": "secret-token"}}'),
    `exec plugin is configured to use API version ${apiVersion}, plugin returned version none`,
  ],
  ['no status', printing({}), "exec plugin didn't return a status field"],
  ['no credentials', printing({ status: {} }), "exec plugin didn't return a token or cert/key pair"],
  [
    'a certificate without a key',
    printing({ status: { clientCertificateData: 'x' } }),
    'exec plugin returned only certificate or key, not both',
  ],
])('the error of a plugin says %s', async (_, script, reason) => {
  const { dir, config } = withPlugin(script);
  const error = await connect({ kubeconfig: config }, {}, never).catch((caught: ClusterError) => caught);
  const plugin = join(dir, 'plugin');
  expect(error).toMatchObject({
    message: `failed to get credentials for context "test": ${reason.replace('PLUGIN', plugin)}`,
    fix: expect.stringContaining(`"${plugin}"`),
    exitCode: Exit.unreachable,
  });
  expect(JSON.stringify(error)).not.toContain('secret-token');
});

test.each([
  ['does not exist', 'no-such-plugin', 'exec: executable no-such-plugin not found', 'Install "no-such-plugin", '],
  ['is a directory', '/tmp', 'exec: /tmp: permission denied', 'Make "/tmp" an executable file, '],
])('the error of a command that %s has no message of Node', async (_, command, reason, fix) => {
  const { config } = withPlugin('', { command });
  await expect(connect({ kubeconfig: config }, {}, never)).rejects.toMatchObject({
    message: `failed to get credentials for context "test": ${reason}`,
    fix: expect.stringContaining(fix),
  });
});

test('a relative command starts at the kubeconfig', async () => {
  const { config } = withPlugin('exit 7', { command: './plugin' });
  await expect(connect({ kubeconfig: config }, {}, never)).rejects.toThrow('failed with exit code 7');
});

test('a plugin that must ask needs a terminal', async () => {
  const { config } = withPlugin('exit 1', { interactiveMode: 'Always' });
  await expect(connect({ kubeconfig: config }, {}, never)).rejects.toMatchObject({
    message: expect.stringContaining('exec plugin cannot support interactive mode: standard input is not a terminal'),
    fix: expect.stringContaining('in a terminal'),
  });
});

test('a plugin does not run for a user with a token', async () => {
  const { dir, config } = withPlugin('touch "$(dirname "$0")/ran"');
  const { users, ...rest } = JSON.parse(readFileSync(config, 'utf8'));
  writeFileSync(config, JSON.stringify({ ...rest, users: [{ name: 'test', user: { ...users[0].user, token: 'a-token' } }] }));
  (await connect({ kubeconfig: config }, process.env, never)).close();
  expect(existsSync(join(dir, 'ran'))).toBe(false);
});

test('the rejection of an expired token says when it expired', async () => {
  const script = printing({ status: { token: 'a-token', expirationTimestamp: '2020-01-02T03:04:05Z' } });
  const { config } = withPlugin(script, {}, await serve((_, response) => answer(response, 401, '')));
  const cluster = await connect({ kubeconfig: config }, process.env, never);
  expect(badCredentials(cluster, new Date()).message).toMatch(/: the token expired on 2020-01-02T03:04:05Z$/);
  cluster.close();
});
