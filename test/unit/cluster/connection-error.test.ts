import http from 'node:http';
import { createServer } from 'node:https';
import net from 'node:net';
import { join } from 'node:path';
import type tls from 'node:tls';
import { describe, expect, test } from 'vitest';
import { connect } from '../../../src/cluster/cluster.ts';
import type { Unreachable } from '../../../src/cluster/faults.ts';
import { Exit } from '../../../src/errors.ts';
import { keyUsage, subjectAltName } from '../../../src/pki/extensions.ts';
import { type Made, make, makeCa } from '../pki/certificates.ts';
import { filesOf, kubeconfig, never } from './kube-api.ts';
import { listening } from './listening.ts';

const day = 86_400_000;
const inDays = (days: number): Date => new Date(Date.now() + days * day);
const pemKey = ({ keyPair }: Made): string => keyPair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const base64 = (text: string): string => Buffer.from(text).toString('base64');

const current = { notBefore: inDays(-1), notAfter: inDays(10) };
const ca = await makeCa({ commonName: 'kubernetes', ...current });
const another = await makeCa({ commonName: 'another', ...current });

interface Serving {
  readonly dns?: string[];
  readonly ip?: string[];
  readonly issuer?: Made | undefined;
  readonly dates?: { notBefore: Date; notAfter: Date };
  readonly options?: tls.TlsOptions;
}

/** A server with TLS, which answers every request. @returns its address */
async function serving({ dns = [], ip = [], issuer = ca, dates = current, options = {} }: Serving) {
  const names = dns.length + ip.length === 0 ? [] : [subjectAltName({ dns, ip }, false)];
  const leaf = await make({
    commonName: 'kube-apiserver',
    ...(issuer ? { issuer } : {}),
    ...dates,
    extensions: [keyUsage('digitalSignature'), ...names],
  });
  const server = createServer({ cert: leaf.info.pem, key: pemKey(leaf), ...options }, (_, response) => response.end('{}'));
  return listening(server);
}

/** The error of a request with a kubeconfig for this cluster. */
async function failureOf(cluster: object, user: object = { token: 'a-token' }, env: NodeJS.ProcessEnv = {}): Promise<Unreachable> {
  const base = kubeconfig('') as object;
  const config = JSON.stringify({ ...base, clusters: [{ name: 'test', cluster }], users: [{ name: 'test', user }] });
  const connection = await connect({ kubeconfig: join(filesOf({ config }), 'config') }, env, never);
  try {
    return await connection.request({ path: '/version', signal: never }).then(
      () => expect.unreachable('the request succeeded'),
      (error) => error,
    );
  } finally {
    connection.close();
  }
}

const data = (made: Made): string => base64(made.info.pem);
const trusting = (port: number, more: object = {}) => ({
  server: `https://127.0.0.1:${port}`,
  'certificate-authority-data': data(ca),
  ...more,
});

function expectFault(error: Unreachable, server: string, why: string | RegExp, fix: string): void {
  const prefix = `failed to connect to the cluster at ${server} (context "test"): `;
  expect(error.message.slice(0, prefix.length)).toBe(prefix);
  const reason = error.message.slice(prefix.length);
  if (typeof why === 'string') expect(reason).toBe(why);
  else expect(reason).toMatch(why);
  expect(error).toMatchObject({ exitCode: Exit.unreachable, fix: expect.stringContaining(fix) });
}

describe('the certificate of the server', () => {
  const untrusted = 'tls: failed to verify certificate: x509: ';
  const server = ({ port }: { port: number }): string => `https://127.0.0.1:${port}`;

  test('is for another address', async () => {
    const at = await serving({ dns: ['*.example.com', 'kubernetes.default'], ip: ['10.0.0.1'] });
    const why = `${untrusted}certificate is valid for 10.0.0.1, not 127.0.0.1`;
    expectFault(await failureOf(trusting(at.port)), server(at), why, 'config set-cluster test --tls-server-name=kubernetes.default');
  });

  test('is for another name', async () => {
    const at = await serving({ dns: ['kubernetes.default'] });
    const error = await failureOf(trusting(at.port, { 'tls-server-name': 'kube.example.com' }));
    expectFault(error, server(at), `${untrusted}certificate is valid for kubernetes.default, not kube.example.com`, '--tls-server-name=');
  });

  test('has only a common name', async () => {
    const at = await serving({});
    const error = await failureOf(trusting(at.port, { 'tls-server-name': 'kube-apiserver' }));
    const why = `${untrusted}certificate relies on legacy Common Name field, use SANs instead`;
    expectFault(error, server(at), why, 'in its subjectAltName');
  });

  test.each([
    ['is signed by another CA', { 'certificate-authority-data': data(another) }],
    ['is signed by no public CA', { 'certificate-authority-data': undefined }],
  ])('%s', async (_, more) => {
    const at = await serving({ ip: ['127.0.0.1'] });
    const why = `${untrusted}certificate signed by unknown authority`;
    expectFault(
      await failureOf(trusting(at.port, more)),
      server(at),
      why,
      'kubectl config set-cluster test --certificate-authority=CA_FILE',
    );
  });

  test('is self-signed', async () => {
    const leaf = await make({ commonName: '127.0.0.1', ...current, extensions: [subjectAltName({ dns: [], ip: ['127.0.0.1'] }, false)] });
    const at = await listening(createServer({ cert: leaf.info.pem, key: pemKey(leaf) }));
    expectFault(await failureOf(trusting(at.port)), server(at), `${untrusted}certificate signed by unknown authority`, 'Set the CA');
  });

  test.each([
    ['has expired', { notBefore: inDays(-3), notAfter: inDays(-2) }, 'after'],
    ['is not valid yet', { notBefore: inDays(2), notAfter: inDays(3) }, 'before'],
  ])('%s', async (_, dates, side) => {
    const at = await serving({ ip: ['127.0.0.1'], dates });
    const why = new RegExp(`^${untrusted}certificate has expired or is not yet valid: current time \\S+ is ${side} \\S+$`);
    expectFault(await failureOf(trusting(at.port)), server(at), why, 'Check the clock of this machine.');
  });
});

describe('a TLS handshake', () => {
  const ip = ['127.0.0.1'];

  test('with an HTTP server', async () => {
    const { port } = await listening(http.createServer((_, response) => response.end('hello')));
    const why = 'http: server gave HTTP response to HTTPS client';
    expectFault(await failureOf(trusting(port)), `https://127.0.0.1:${port}`, why, 'plain HTTP');
  });

  test('with another program', async () => {
    const { port } = await listening(net.createServer((socket) => socket.end('SSH-2.0-OpenSSH_9.9\r\n')));
    const why = 'tls: first record does not look like a TLS handshake';
    expectFault(await failureOf(trusting(port)), `https://127.0.0.1:${port}`, why, 'A program other than kube-apiserver');
  });

  test('that the server does not finish', async () => {
    const { port } = await listening(net.createServer((socket) => socket.once('data', () => socket.end())));
    const why = 'EOF (the server closed the connection)';
    expectFault(await failureOf(trusting(port)), `https://127.0.0.1:${port}`, why, 'no proxy or load balancer');
  });

  test('that the server resets', async () => {
    const { port } = await listening(net.createServer((socket) => socket.once('data', () => socket.resetAndDestroy())));
    const why = `read tcp 127.0.0.1:${port}: read: connection reset by peer`;
    expectFault(await failureOf(trusting(port)), `https://127.0.0.1:${port}`, why, 'no proxy or load balancer');
  });

  test('with TLS 1.1 only', async () => {
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const { port } = await serving({ ip, options: old });
    const why = /^(remote error: )?tls: protocol version not supported$/;
    expectFault(await failureOf(trusting(port)), `https://127.0.0.1:${port}`, why, 'TLS 1.2');
  });

  test('without the client certificate that the server requires', async () => {
    const mutual = { requestCert: true, rejectUnauthorized: true, ca: ca.info.pem };
    const { port } = await serving({ ip, options: mutual });
    const why = 'remote error: tls: certificate required';
    expectFault(await failureOf(trusting(port)), `https://127.0.0.1:${port}`, why, 'kubectl config set-credentials test');
  });
});

describe('a connection', () => {
  test('that is refused', async () => {
    const error = await failureOf(trusting(1));
    expectFault(error, 'https://127.0.0.1:1', 'dial tcp 127.0.0.1:1: connect: connection refused', 'Check that the cluster is running');
  });

  test('to a name that does not exist', async () => {
    const server = 'https://kube.invalid:6443';
    expectFault(
      await failureOf({ server }),
      server,
      /^dial tcp: lookup kube\.invalid: (no such host|server misbehaving)$/,
      'Check the DNS',
    );
  });

  test('without TLS to a server with TLS', async () => {
    const { port } = await serving({ ip: ['127.0.0.1'] });
    const server = `http://127.0.0.1:${port}`;
    expectFault(await failureOf({ server }), server, 'EOF (the server closed the connection)', 'https:// instead of http://');
  });

  test('to a server that does not speak HTTP', async () => {
    const { port } = await listening(net.createServer((socket) => socket.end('hello\r\n\r\n')));
    const server = `http://127.0.0.1:${port}`;
    expectFault(await failureOf({ server }), server, /malformed HTTP response "hello"$/, `--server=https://127.0.0.1:${port}`);
  });

  test('whose response is cut short', async () => {
    const { port } = await listening(
      http.createServer((request, response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('{', () => request.socket.destroySoon());
      }),
    );
    expectFault(
      await failureOf({ server: `http://127.0.0.1:${port}` }),
      `http://127.0.0.1:${port}`,
      'unexpected EOF',
      'closes the connection',
    );
  });
});

describe('a proxy', () => {
  const server = 'https://kube.example.com:6443';

  test('that refuses the connection', async () => {
    const proxy = http.createServer().on('connect', (_, socket) => socket.on('error', () => {}).end('HTTP/1.1 403 Forbidden\r\n\r\n'));
    const { port } = await listening(proxy);
    const error = await failureOf({ server }, {}, { HTTPS_PROXY: `http://me:secret@127.0.0.1:${port}` });
    expectFault(
      error,
      server,
      'proxyconnect tcp: 403 Forbidden',
      `Check the proxy http://127.0.0.1:${port}, which HTTPS_PROXY sets, or add`,
    );
    expect(error.message + error.fix).not.toContain('secret');
  });

  test('that does not run', async () => {
    const error = await failureOf({ server, 'proxy-url': 'http://127.0.0.1:1' });
    const why = 'proxyconnect tcp: dial tcp 127.0.0.1:1: connect: connection refused';
    expectFault(error, server, why, 'proxy-url of cluster "test" in the kubeconfig');
  });
});
