import { expect, test } from 'vitest';
import { entryAt, mountsAt, type SecretMount } from '../../../src/snapshot/secret-mounts.ts';

const mount = (name: string, mountPath: string, more: Partial<SecretMount> = {}): SecretMount => ({
  name,
  mountPath,
  subPath: undefined,
  items: undefined,
  ...more,
});

test.each<[string, readonly string[], string, readonly string[]]>([
  ['whole names of folders', ['/etc/cert', '/etc/certs'], '/etc/certs/tls.crt', ['/etc/certs']],
  ['a file itself', ['/etc/certs/tls.crt'], '/etc/certs/tls.crt', ['/etc/certs/tls.crt']],
  ['the deepest folder, which hides the others', ['/etc', '/etc/certs', ''], '/etc/certs/tls.crt', ['/etc/certs']],
  ['nothing', ['/etc/certs'], '/etc/certsx/tls.crt', []],
  ['nothing where nothing is mounted', [], '/etc/certs/tls.crt', []],
])('a path leads into %s', (_, paths, path, expected) => {
  const mounts = paths.map((mountPath) => mount('x', mountPath));
  expect(mountsAt(mounts, path).map(({ mountPath }) => mountPath)).toEqual(expected);
});

test('in a projected volume, the source with the file counts', () => {
  const parts = [mount('ca', '/certs', { items: new Map([['ca.crt', 'root.pem']]) }), mount('tls', '/certs')];
  expect(entryAt(parts, '/certs/ca.crt')).toEqual({ secret: 'ca', entry: 'root.pem' });
  expect(entryAt(parts, '/certs/tls.crt')).toEqual({ secret: 'tls', entry: 'tls.crt' });
});

test('a file that a deeper mount hides is not found', () => {
  const mounts = [mount('outer', '/etc'), mount('inner', '/etc/certs', { items: new Map() })];
  expect(entryAt(mounts, '/etc/certs')).toBeUndefined();
});
