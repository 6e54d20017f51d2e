import { describe, expect, test } from 'vitest';
import { viewRequestHeader } from '../../../../src/snapshot/collect/request-header.ts';
import { readSecret, viewSecret } from '../../../../src/snapshot/secret-content.ts';
import { servingCertificate } from '../../cluster/listening.ts';

const { leaf } = await servingCertificate();
const { leaf: other } = await servingCertificate();
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const keyOf = ({ key }: typeof leaf): string => key.reveal();
const source = { secret: 'api-tls', certificateEntry: 'tls.crt', keyEntry: 'tls.key' };

const secretOf = (data: Record<string, string>) =>
  viewSecret(
    readSecret({ apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata: { name: 'api-tls' }, data } as never),
    source,
  );

describe('a Secret', () => {
  const certificate = { 'tls.crt': base64(leaf.certificates) };

  test.each<[string, Record<string, string>, boolean | undefined]>([
    ['whose key is its own', { ...certificate, 'tls.key': base64(keyOf(leaf)) }, true],
    ['whose key is another', { ...certificate, 'tls.key': base64(keyOf(other)) }, false],
    [
      'whose key can’t be read',
      { ...certificate, 'tls.key': base64('-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n') },
      undefined,
    ],
    ['without a key', certificate, undefined],
    ['without a certificate', { 'tls.key': base64(keyOf(leaf)) }, undefined],
  ])('%s', (_, data, keyMatches) => {
    const view = secretOf({ ...data, 'ca.crt': 'x' });
    expect(view).toMatchObject({ name: 'api-tls', type: 'kubernetes.io/tls', keyMatches, otherKeys: ['ca.crt'] });
    expect(view.certificates).toHaveLength('tls.crt' in data ? 1 : 0);
    expect(JSON.stringify(view)).not.toMatch(/PRIVATE KEY|hunter2/);
  });
});

describe('the ConfigMap extension-apiserver-authentication', () => {
  const view = (data: Record<string, string>) => viewRequestHeader({ data } as never);

  test('is read', () => {
    const found = view({
      'client-ca-file': leaf.certificates,
      'requestheader-client-ca-file': leaf.certificates,
      'requestheader-allowed-names': '["front-proxy-client"]',
      'requestheader-username-headers': '["X-Remote-User"]',
    });
    expect(found).toMatchObject({
      clientCa: [{ isCA: false }],
      allowedNames: ['front-proxy-client'],
      usernameHeaders: ['X-Remote-User'],
      hasClientCa: true,
      holdsPrivateKey: false,
    });
  });

  test('may be missing or damaged', () => {
    const nothing = { clientCa: [], allowedNames: [], usernameHeaders: [], hasClientCa: false, holdsPrivateKey: false };
    expect(view({})).toEqual(nothing);
    expect(view({ 'requestheader-allowed-names': '[', 'requestheader-client-ca-file': 'x' })).toEqual(nothing);
  });

  test('may hold a private key', () => {
    expect(view({ other: keyOf(leaf) }).holdsPrivateKey).toBe(true);
  });
});
