import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { as, core, serving, start, startServing, trustData, until, writePair } from './running.ts';

describe('a new certificate', () => {
  test('is served without a restart', async () => {
    const { dir, get, said } = await startServing();
    const before = (await get('/readyz')).serial;
    const renewed = await serving();
    writePair(dir, renewed);
    const { serialNumber } = new X509Certificate(renewed.certificates);
    await until(() => said().includes('reloaded the serving certificate'));
    expect((await get('/readyz')).serial).toBe(serialNumber);
    expect(before).not.toBe(serialNumber);
  });

  test('with the key of another one is reported, and the previous one stays', async () => {
    const { dir, get, said } = await startServing();
    const before = (await get('/readyz')).serial;
    const [one, other] = await Promise.all([serving(), serving()]);
    writePair(dir, { ...one, key: other.key });
    await until(() => said().includes('key values mismatch'));
    expect((await get('/readyz')).serial).toBe(before);
    writePair(dir, one);
    await until(() => said().includes('reloaded the serving certificate'));
  });
});

test('with --cert-dir, it serves a certificate of its own', async () => {
  const { port, said } = await start(core(), ['--secure-port=8443', '--cert-dir=/certs']);
  await until(() => said().includes('serving demo.apisvc.dev/v1alpha1'));
  // No client verifies it.
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  expect(socket.getPeerCertificate().subject.CN).toBe('localhost');
  socket.destroy();
});

test('a failed handshake is logged', async () => {
  const { port, said } = await startServing();
  await once(connect({ host: '127.0.0.1', port, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }), 'error');
  await until(() => said().includes('TLS handshake error: tls: protocol version not supported'));
});

describe('the demo server ends', () => {
  test('on stop, with open connections', async () => {
    const { container, get } = await startServing();
    await get('/readyz');
    await container.stop();
    expect(await container.ended).toBe(0);
    await expect(get('/readyz')).rejects.toThrow('ECONNREFUSED');
  });

  test.each([
    ['an unknown flag', ['--what=1'], "Unknown option '--what"],
    ['no certificate', ['--secure-port=8443'], 'required flags "--tls-cert-file" and "--tls-private-key-file" not set'],
    ['no port', ['--secure-port=x'], 'invalid --secure-port "x": must be a port number'],
    ['no API', ['--api=x'], 'invalid --api "x": must be GROUP/VERSION'],
    ['files that do not exist', ['--tls-cert-file=/none', '--tls-private-key-file=/none'], 'no such file or directory'],
  ])('with %s: exit code 1 and the reason', async (_, args, message) => {
    const { container, said } = await start(core(), args);
    expect(await container.ended).toBe(1);
    expect(said()).toMatch(/^Error: .*\n$/);
    expect(said()).toContain(message);
  });

  test.each([
    ['the ConfigMap does not exist', undefined, 'configmaps "extension-apiserver-authentication" not found'],
    [
      'the CA of the front proxy is missing',
      { ...trustData, 'requestheader-client-ca-file': '' },
      'missing content for CA bundle "requestheader-client-ca-file"',
    ],
  ])('when it cannot authenticate the front proxy: %s', async (_, trust, message) => {
    const { container, said } = await start(core({ trust }));
    expect(await container.ended).toBe(1);
    expect(said()).toBe(`Error: unable to load configmap based request-header-client-ca-file: ${message}\n`);
  });
});

test('the group and version are configurable', async () => {
  const { dir } = await startServing();
  const files = [`--tls-cert-file=${dir}/tls.crt`, `--tls-private-key-file=${dir}/tls.key`];
  const { json, said } = await start(core(), ['--api', 'load.example.com/v1', '--secure-port=8443', ...files]);
  await until(() => said().startsWith('serving load.example.com/v1'));
  expect(await json('/apis/load.example.com/v1/hosts', as('admin', ['system:masters']))).toMatchObject({
    apiVersion: 'load.example.com/v1',
  });
});
