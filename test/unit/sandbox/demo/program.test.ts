import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { as, core, serving, start, startServing, trustData, until, writePair } from './running.ts';

describe('a new certificate', () => {
  test('is served as soon as the files have it, without a restart', async () => {
    const { dir, get, said } = await startServing();
    const before = (await get('/readyz')).serial;
    const renewed = await serving();
    writePair(dir, renewed);
    const { serialNumber } = new X509Certificate(renewed.certificates);
    await until(() => said().includes('serving from now on'));
    expect((await get('/readyz')).serial).toBe(serialNumber);
    expect(before).not.toBe(serialNumber);
  });

  test('that does not fit its key is told, and the one before stays', async () => {
    const { dir, get, said } = await startServing();
    const before = (await get('/readyz')).serial;
    const [one, other] = await Promise.all([serving(), serving()]);
    writePair(dir, { ...one, key: other.key });
    await until(() => said().includes('key values mismatch'));
    expect((await get('/readyz')).serial).toBe(before);
    writePair(dir, one);
    await until(() => said().includes('serving from now on'));
  });
});

test('a handshake that fails is told of in the log', async () => {
  const { port, said } = await startServing();
  await once(connect({ host: '127.0.0.1', port, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }), 'error');
  await until(() => said().includes('TLS handshake error: TLS: unsupported protocol'));
});

describe('it ends', () => {
  test('when it is told to, with open connections', async () => {
    const { container, get } = await startServing();
    await get('/readyz');
    await container.stop();
    expect(await container.ended).toBe(0);
    await expect(get('/readyz')).rejects.toThrow('ECONNREFUSED');
  });

  test.each([
    ['an unknown flag', ['--what=1'], "Unknown option '--what"],
    ['no certificate', ['--secure-port=8443'], '--tls-cert-file and --tls-private-key-file are needed'],
    ['no port', ['--secure-port=x'], '--secure-port must be a port, not "x"'],
    ['no API', ['--api=x'], '--api must be GROUP/VERSION, not "x"'],
    ['files that are not there', ['--tls-cert-file=/none', '--tls-private-key-file=/none'], 'no such file or directory'],
  ])('with %s: exit code 1 and the reason', async (_, args, words) => {
    const { container, said } = await start(core(), args);
    expect(await container.ended).toBe(1);
    expect(said()).toMatch(/^Error: .*\n$/);
    expect(said()).toContain(words);
  });

  test.each([
    ['there is no such ConfigMap', undefined, 'configmaps "extension-apiserver-authentication" not found'],
    [
      'no CA of the front proxy is named',
      { ...trustData, 'requestheader-client-ca-file': '' },
      'missing content for CA bundle "requestheader-client-ca-file"',
    ],
  ])('when it can not know whom to believe: %s', async (_, trust, words) => {
    const { container, said } = await start(core({ trust }));
    expect(await container.ended).toBe(1);
    expect(said()).toBe(`Error: unable to load configmap based request-header-client-ca-file: ${words}\n`);
  });
});

test('it serves whichever group and version it is told to', async () => {
  const { dir } = await startServing();
  const files = [`--tls-cert-file=${dir}/tls.crt`, `--tls-private-key-file=${dir}/tls.key`];
  const { json, said } = await start(core(), ['--api', 'load.example.com/v1', '--secure-port=8443', ...files]);
  await until(() => said().startsWith('serving load.example.com/v1'));
  expect(await json('/apis/load.example.com/v1/hosts', as('admin', ['system:masters']))).toMatchObject({
    apiVersion: 'load.example.com/v1',
  });
});
