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

  test('leaves text without a mount path unchanged', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes('/certs') && !text.includes('/etc')),
        (text) => withMounts(text, mounts) === text,
      ),
    );
    fc.assert(fc.property(fc.string(), (text) => withMounts(text, {}) === text));
  });

  test('replaces any mount path, also with special characters of regular expressions', () => {
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
  const read = (env: Json) => environmentOf(api, { ...podOf('pod'), status: { podIP: '10.0.0.9' } }, { env });

  test('evaluates variables in order, from all sources', async () => {
    const env = [
      { name: 'A', valueFrom: { configMapKeyRef: { name: 'there', key: 'a' } } },
      { name: 'B', value: 'x$(A)' },
      { name: 'C', value: '$(B)y' },
      { name: 'KEY', valueFrom: { secretKeyRef: { name: 'there', key: 'key' } } },
      { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'NONE', valueFrom: { configMapKeyRef: { name: 'gone', key: 'key', optional: true } } },
    ];
    expect(await read(env)).toEqual({ A: '1', B: 'x1', C: 'x1y', KEY: 'secret', IP: '10.0.0.9', POD: 'pod' });
  });

  test.each([
    [{ secretKeyRef: { name: 'gone', key: 'key' } }, 'secret "gone" not found'],
    [{ secretKeyRef: { name: 'there', key: 'other' } }, "couldn't find key other in Secret ns/there"],
    [{ configMapKeyRef: { name: 'gone', key: 'key' } }, 'configmap "gone" not found'],
  ])('reports what is missing: %j', async (valueFrom, message) => {
    await expect(read([{ name: 'A', valueFrom }])).rejects.toThrow(message);
  });
});
