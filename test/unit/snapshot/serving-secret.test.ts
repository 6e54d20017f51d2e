import { describe, expect, test } from 'vitest';
import { extendedKeyUsage, subjectAltName } from '../../../src/pki/extensions.ts';
import { toPrivateKey } from '../../../src/pki/keys.ts';
import { readSecret, type SecretContent } from '../../../src/snapshot/secret-content.ts';
import type { SecretMount } from '../../../src/snapshot/secret-mounts.ts';
import { findServingSecret, type ServingSearch } from '../../../src/snapshot/serving-secret.ts';
import { make, makeCa } from '../pki/certificates.ts';

/** The choice between the Secrets that a server mounts. */

const host = 'api.wardle.svc';
const ca = await makeCa({ commonName: 'CA' });
async function leafFor(name: string, usage: 'serverAuth' | 'clientAuth' = 'serverAuth') {
  const extensions = [subjectAltName({ dns: [name], ip: [] }, false), extendedKeyUsage([usage])];
  const { info, keyPair } = await make({ commonName: name, issuer: ca, extensions });
  return { info, pem: info.pem, key: toPrivateKey(keyPair.privateKey).reveal() };
}
const [serving, renewed, etcd, webhook] = await Promise.all([
  leafFor(host),
  leafFor(host),
  leafFor(host, 'clientAuth'),
  leafFor('webhook.wardle.svc'),
]);
const caKey = toPrivateKey(ca.keyPair.privateKey).reveal();

const content = (name: string, stringData: Record<string, string>): SecretContent =>
  readSecret({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData } as never);
const tls = (name: string, { pem, key }: typeof serving) => content(name, { 'tls.crt': pem, 'tls.key': key });
const mount = (name: string, more: Partial<SecretMount> = {}): SecretMount => ({
  name,
  mountPath: `/${name}`,
  subPath: undefined,
  items: undefined,
  ...more,
});
const find = (contents: readonly SecretContent[], change: Partial<ServingSearch> = {}) =>
  findServingSecret({ mounts: contents.map(({ name }) => mount(name)), named: [], contents, served: [], host, ...change });
const usual = (secret: string) => ({ secret, certificateEntry: 'tls.crt', keyEntry: 'tls.key' });

describe('the Secret', () => {
  test('with the certificate that is served counts, whatever its name', () => {
    const served = [webhook.info];
    expect(find([tls('api', serving), tls('odd', webhook)], { served })).toEqual(usual('odd'));
    expect(find([tls('odd', webhook), tls('copy', webhook)], { served })).toEqual(usual('odd'));
  });

  test('with a certificate for the Service counts where another one is served', () => {
    expect(find([tls('odd', webhook), tls('api', renewed), tls('etcd', etcd)], { served: [serving.info] })).toEqual(usual('api'));
  });

  test('that a flag names counts before others with a certificate for the Service', () => {
    const named = [{ secret: 'odd', entry: 'tls.crt', role: 'certificate' }] as const;
    expect(find([tls('api', serving), tls('odd', webhook)], { named })).toEqual(usual('odd'));
    expect(find([tls('api', serving), tls('odd', renewed)], { named: [{ secret: 'odd', entry: undefined, role: 'certificate' }] })).toEqual(
      usual('odd'),
    );
  });

  test('is not known where several have a certificate for the Service, or none', () => {
    expect(find([tls('one', serving), tls('two', renewed)])).toEqual(['one', 'two']);
    expect(find([tls('odd', webhook), content('password', { password: 'hunter2' })])).toEqual([]);
  });

  test('whose named file has no certificate is found', () => {
    const named = [{ secret: 'api', entry: 'server.crt', role: 'certificate' }] as const;
    expect(find([content('api', { 'server.crt': 'soon to come' })], { named })).toMatchObject({ certificateEntry: 'server.crt' });
    const two = [...named, { secret: 'api', entry: 'other.crt', role: 'certificate' }] as const;
    expect(find([content('api', { 'server.crt': 'soon to come' })], { named: two })).toEqual([]);
  });
});

describe('the entries', () => {
  const { pem, key } = serving;

  test.each<[string, Record<string, string>, string, string | undefined]>([
    ['a pair of another name', { 'server.crt': pem, 'server.key': key, 'ca.key': caKey }, 'server.crt', 'server.key'],
    ['a key with -key in its name', { 'api-cert.pem': pem, 'api-key.pem': key, 'ca-key.pem': caKey }, 'api-cert.pem', 'api-key.pem'],
    ['the only key that is not of a CA', { certificate: pem, secret: key, 'ca.key': caKey }, 'certificate', 'secret'],
    ['no key', { 'server.crt': pem }, 'server.crt', undefined],
    ['both in one file', { 'server.pem': `${pem}${key}` }, 'server.pem', 'server.pem'],
    ['a copy for clients', { 'ca.crt': pem, 'tls.crt': pem, 'tls.key': key }, 'tls.crt', 'tls.key'],
    ['a key that cannot be read, by its name', { 'tls.crt': pem, 'tls.key': 'hunter2' }, 'tls.crt', 'tls.key'],
  ])('%s', (_, stringData, certificateEntry, keyEntry) => {
    expect(find([content('api', stringData)])).toEqual({ secret: 'api', certificateEntry, keyEntry });
  });

  test('only those that are mounted count', () => {
    const both = content('api', { 'tls.crt': pem, 'next.crt': renewed.pem });
    const at = (more: Partial<SecretMount>) => find([both], { mounts: [mount('api', more)] });
    expect(at({ items: new Map([['a', 'next.crt']]) })).toMatchObject({ certificateEntry: 'next.crt' });
    expect(at({ subPath: 'next.crt' })).toMatchObject({ certificateEntry: 'next.crt' });
    expect(at({ items: new Map([['pki/a', 'next.crt']]), subPath: 'pki' })).toMatchObject({ certificateEntry: 'next.crt' });
    expect(at({ items: new Map([['a', 'missing']]) })).toEqual([]);
  });
});

test('no part of a key is kept', () => {
  expect(JSON.stringify(tls('api', serving))).not.toContain(serving.key.split('\n')[1]);
});
