import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import http from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { answer, filesOf, kubeconfig, serve, status } from '../unit/cluster/kube-api.ts';
import { listening, servingCertificate } from '../unit/cluster/listening.ts';
import { expectGone, hanging, withPlugin } from '../unit/cluster/plugin.ts';
import { apisvc, bin, plainEnv } from './apisvc.ts';

/** What a user sees of a cluster that does not work, or of a kubeconfig that does not fit. */

async function verify(config: object | string, env: Readonly<Record<string, string>> = {}) {
  const dir = filesOf({ config: typeof config === 'string' ? config : JSON.stringify(config) });
  return apisvc(['verify', 'v1.example.com', '--kubeconfig', 'config'], { cwd: dir, env });
}

const withUser = (server: string, user: object): object => ({ ...kubeconfig(server), users: [{ name: 'test', user }] });

describe('one error line names the server, one fix line solves the fault', () => {
  test('for a CA of another cluster', async () => {
    const [{ leaf }, other] = await Promise.all([servingCertificate(), servingCertificate()]);
    const { port } = await listening(createServer({ cert: leaf.certificates, key: leaf.key.reveal() }));
    const server = `https://127.0.0.1:${port}`;
    const data = Buffer.from(other.authority.certificates).toString('base64');
    const clusters = [{ name: 'test', cluster: { server, 'certificate-authority-data': data, 'tls-server-name': 'api.wardle.svc' } }];
    const { code, stdout, stderr } = await verify({ ...kubeconfig(server), clusters });
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(
      new RegExp(
        `^error: failed to connect to the cluster at ${server} \\(context "test"\\): tls: failed to verify certificate: x509: certificate signed by unknown authority[^\n]*\n` +
          'fix: Set the CA of the cluster: kubectl --kubeconfig=config config set-cluster test --certificate-authority=CA_FILE --embed-certs\n',
      ),
    );
  });

  test('for a proxy that refuses', async () => {
    const { port } = await listening(
      http
        .createServer()
        .on('connect', (_, socket) => socket.on('error', () => {}).end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')),
    );
    expect(await verify(kubeconfig('https://kube.example.com'), { HTTPS_PROXY: `http://127.0.0.1:${port}` })).toEqual({
      code: 3,
      stdout: '',
      stderr:
        'error: failed to connect to the cluster at https://kube.example.com (context "test"): proxyconnect tcp: 407 Proxy Authentication Required\n' +
        `fix: Check the proxy http://127.0.0.1:${port}, which HTTPS_PROXY sets, or add kube.example.com to NO_PROXY.\n`,
    });
  });
});

test.each([
  [200, 'is not kube-apiserver: HTTP status 200, but the response is not JSON'],
  [404, 'does not respond like kube-apiserver: HTTP status 404: a web page, "It works!"'],
  [502, 'does not respond like kube-apiserver: HTTP status 502: a web page, "It works!"'],
])('a web server that answers with status %i is not a healthy cluster', async (code, message) => {
  const page = '<!DOCTYPE HTML>\n<html><head><title>It\nworks!</title></head></html>\n';
  const server = await serve((_, response) => response.writeHead(code, { 'content-type': 'text/html' }).end(page));
  const ran = await verify(kubeconfig(server));
  expect(ran).toMatchObject({
    code: 3,
    stdout: '',
    stderr: expect.stringMatching(/^error: [^\n]+\nfix: Check that the server of [^\n]+\n$/),
  });
  expect(ran.stderr).toContain(`${server} (context "test") ${message}\n`);
});

test.each(['{}', 'null', '[]', '{"items":[null]}'])('a server that answers %s is not a healthy cluster', async (body) => {
  const server = await serve(({ url }, response) => answer(response, 200, url === '/version' ? '{"gitVersion":"v1.37.2"}' : body));
  const cwd = filesOf({ config: JSON.stringify(kubeconfig(server)) });
  for (const command of [
    ['verify', '--all'],
    ['verify', 'v1.a.example.com'],
    ['status', 'v1.a.example.com'],
    ['unregister', 'v1.a.example.com', '--yes'],
  ]) {
    const { code, stdout, stderr } = await apisvc([...command, '--kubeconfig', 'config'], { cwd });
    expect({ command, code, stdout }).toEqual({ command, code: 3, stdout: '' });
    expect(stderr).toContain('the response is not the requested object\nfix: Check that the server of the cluster');
  }
});

test.each([['register'], ['rotate'], ['unregister', '--yes']])(
  '%s names a web server that answers every request with status 200',
  async (...command) => {
    const server = await serve((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>It works!</html>'));
    const cwd = filesOf({ config: JSON.stringify(kubeconfig(server)) });
    expect(await apisvc(['init', 'demo', '--preset', 'demo', '--yes'], { cwd })).toMatchObject({ code: 0 });
    const { code, stdout, stderr } = await apisvc([...command, '-q', '-C', 'demo', '--kubeconfig', 'config'], { cwd });
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toBe(
      `error: failed to create selfsubjectaccessreviews.authorization.k8s.io: ${server} (context "test") does not respond like kube-apiserver: HTTP status 200: a web page, "It works!"\n` +
        'fix: Check that the server of the cluster in the kubeconfig is the URL of kube-apiserver. A proxy or load balancer may also respond in its place.\n',
    );
  },
);

test('no fix grants rights to system:anonymous', async () => {
  const server = await serve(({ url }, response) => {
    const message = `forbidden: User "system:anonymous" cannot get path "${url}"`;
    answer(response, 403, status(403, 'Forbidden', message));
  });
  const { code, stdout, stderr } = await verify(withUser(server, {}));
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  expect(stderr).toMatch(/^error: not allowed to [^\n]+\nfix: The kubeconfig has no valid credentials for user "test", [^\n]+\n$/);
  expect(stderr).not.toContain('Grant');
});

test.each([
  [
    'a client certificate without a key',
    { 'client-certificate-data': 'Zm9v' },
    /^error: invalid kubeconfig config: client-key-data or client-key must/,
  ],
  ['a missing tokenFile', { tokenFile: '/nope' }, /^error: invalid kubeconfig config: unable to read tokenFile \/nope/],
  ['auth-provider gcp', { 'auth-provider': { name: 'gcp' } }, /^error: invalid kubeconfig config: the gcp auth plugin/],
])('no request is sent with %s', async (_, user, message) => {
  let asked = 0;
  const server = await serve((_, response) => {
    asked += 1;
    answer(response, 200, {});
  });
  const { code, stderr } = await verify(withUser(server, user));
  expect({ code, stderr, asked }).toEqual({ code: 2, stderr: expect.stringMatching(message), asked: 0 });
  expect(stderr).toMatch(/^error: [^\n]+\nfix: [^\n]+\n$/);
});

test('a binary kubeconfig is no YAML', async () => {
  expect(await verify('\u0000\u0001PK')).toEqual({
    code: 2,
    stdout: '',
    stderr:
      'error: failed to read kubeconfig config: it is a binary file, not YAML\nfix: Set --kubeconfig or KUBECONFIG to a kubeconfig file.\n',
  });
});

test('Ctrl-C ends a credential plugin that waits for a login', async () => {
  const { dir, config } = withPlugin(hanging);
  const command = spawn(bin, ['verify', 'v1.example.com', '--kubeconfig', config], { cwd: dir, env: { ...plainEnv }, stdio: 'ignore' });
  const closed = once(command, 'close');
  await expect.poll(() => existsSync(join(dir, 'pid')), { timeout: 10_000, interval: 20 }).toBe(true);
  command.kill('SIGINT');
  expect(await closed).toEqual([130, null]);
  await expectGone(dir);
});

test('the error of a plugin has its last message, but nothing of its output', async () => {
  const { dir, config } = withPlugin('echo secret-token; echo "trying" >&2; echo "session expired" >&2; exit 4', { command: './plugin' });
  const { code, stderr } = await apisvc(['verify', 'v1.example.com', '--kubeconfig', config], { cwd: dir });
  expect(code).toBe(3);
  expect(stderr).toMatch(
    /^error: failed to get credentials for context "test": exec: executable \S+\/plugin failed with exit code 4: session expired\nfix: Log in again [^\n]+\n$/,
  );
});

test('the fix of a selector that selects nothing keeps the flags that select the cluster', async () => {
  const server = await serve(({ url = '' }, response) =>
    url.startsWith('/version')
      ? answer(response, 200, { gitVersion: 'v1.37.0' })
      : answer(response, 200, { kind: 'List', metadata: {}, items: [] }),
  );
  const cwd = filesOf({ config: JSON.stringify(withUser(server, { token: 'secret' })) });
  const { code, stderr } = await apisvc(['verify', '-l', 'a=b', '--kubeconfig', 'config', '--context', 'test'], { cwd });
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr:
      'error: no APIServices with labels a=b found\nfix: List the APIServices and their labels: kubectl --kubeconfig=config --context=test get apiservices --show-labels\n',
  });
});
