import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { environmentOf, expanded, withMounts } from '../../../../src/sandbox/node/environment.ts';
import type { Json } from '../../../../src/sandbox/node/registry.ts';
import { podOf } from './objects.ts';

describe('withMounts', () => {
  const mounts = { '/certs': '/tmp/a', '/certs/deep': '/tmp/b', '/etc/x.y': '/tmp/c' };

  test.each([
    ['--tls-cert-file=/certs/tls.crt', '--tls-cert-file=/tmp/a/tls.crt'],
    ['/certs', '/tmp/a'],
    ['/certs/deep/tls.crt', '/tmp/b/tls.crt'],
    ['/certs:/etc/x.y/z,/certs/', '/tmp/a:/tmp/c/z,/tmp/a/'],
    ['/certs2/a /certs.d/a /certs-old my/certs', '/certs2/a /certs.d/a /certs-old my/certs'],
    ['/etc/xay', '/etc/xay'],
  ])('%s', (text, placed) => {
    expect(withMounts(text, mounts)).toBe(placed);
  });

  test('leaves alone what names no mount path', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes('/certs') && !text.includes('/etc')),
        (text) => withMounts(text, mounts) === text,
      ),
    );
    fc.assert(fc.property(fc.string(), (text) => withMounts(text, {}) === text));
  });

  test('puts the folder in the place of any path, with signs of regular expressions or without', () => {
    const name = fc.stringMatching(/^[a-z$.+()*]{1,8}$/);
    fc.assert(
      fc.property(
        name,
        name,
        (folder, file) => withMounts(`--x=/m/${folder}/${file}`, { [`/m/${folder}`]: '/tmp/$1' }) === `--x=/tmp/$1/${file}`,
      ),
    );
  });
});

test.each([
  ['$(A)-$(B)', '1-$(B)'],
  ['$$(A)', '$(A)'],
  ['$A $ $(', '$A $ $('],
])('expanded %s', (text, result) => {
  expect(expanded(text, { A: '1' })).toBe(result);
});

describe('environmentOf', () => {
  const objects: Json = {
    Secret: { kind: 'Secret', data: { key: Buffer.from('secret').toString('base64') } },
    ConfigMap: { kind: 'ConfigMap', data: { a: '1', b: '2' } },
  };
  const api = { get: async ({ resource, name }: Json) => (name === 'there' ? objects[resource.kind] : undefined) };
  const read = (container: Json) => environmentOf(api, podOf('pod'), container, { podIP: '10.0.0.9' });

  test('takes values, in their order, from all places', async () => {
    const env = [
      { name: 'A', value: 'x$(P_a)' },
      { name: 'B', value: '$(A)y' },
      { name: 'KEY', valueFrom: { secretKeyRef: { name: 'there', key: 'key' } } },
      { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'APP', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
      { name: 'NONE', valueFrom: { configMapKeyRef: { name: 'gone', key: 'key', optional: true } } },
    ];
    const envFrom = [{ prefix: 'P_', configMapRef: { name: 'there' } }];
    expect(await read({ env, envFrom })).toEqual({ P_a: '1', P_b: '2', A: 'x1', B: 'x1y', KEY: 'secret', IP: '10.0.0.9', APP: 'app' });
  });

  test.each([
    [{ env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'gone', key: 'key' } } }] }, 'secret "gone" not found'],
    [{ env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'there', key: 'other' } } }] }, "couldn't find key other in Secret ns/there"],
    [{ envFrom: [{ configMapRef: { name: 'gone' } }] }, 'configmap "gone" not found'],
  ])('says what is missing', async (container, words) => {
    await expect(read(container)).rejects.toThrow(words);
  });
});
