import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { signingRequest } from '../../../src/issuers/csr.ts';
import { generateKeyPair, toPrivateKey } from '../../../src/pki/keys.ts';
import type { KeyType } from '../../../src/pki/types.ts';
import { registrationOf } from '../manifests/fixture.ts';

const having = (certificates: string) =>
  registrationOf(
    '    image: x',
    `  certificates: {issuer: {type: csr, signerName: example.com/serving, caBundleFile: ca.crt}, ${certificates}}`,
  );
const newKey = async (type: KeyType = 'ecdsa-p256') => toPrivateKey((await generateKeyPair(type)).privateKey);
type Spec = { readonly request: string; readonly usages: readonly string[]; readonly expirationSeconds: number };

describe('a CertificateSigningRequest', () => {
  test.each(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048'] as const)('with a key of type %s is signed, and has the names', async (keyType) => {
    const { spec } = signingRequest(having(`keyType: ${keyType}, dnsNames: [api.example.com]`), await newKey(keyType));
    const { request, usages, expirationSeconds } = spec as Spec;
    const input = Buffer.from(request, 'base64');
    const text = execFileSync('openssl', ['req', '-verify', '-noout', '-text'], { input, stdio: ['pipe', 'pipe', 'ignore'] }).toString();
    expect(text).toMatch(/Subject: CN ?= ?api\.example\.svc/);
    expect(text).toContain('DNS:api.example.svc, DNS:api, DNS:api.example, DNS:api.example.svc.cluster.local, DNS:api.example.com');
    expect({ usages, expirationSeconds }).toEqual({
      usages: ['digital signature', ...(keyType === 'rsa-2048' ? ['key encipherment'] : []), 'server auth'],
      expirationSeconds: 365 * 86_400,
    });
  });

  test('has the same name for the same content, and another one for another key, name, lifetime or signer', async () => {
    const key = await newKey();
    const nameOf = (certificates: string, given = key): string => signingRequest(having(certificates), given).metadata.name;
    const same = nameOf('lifetime: 30d');
    expect(same).toMatch(/^example-api-[0-9a-f]{10}$/);
    expect(nameOf('lifetime: 30d')).toBe(same);
    const others = [nameOf('lifetime: 31d'), nameOf('lifetime: 30d, dnsNames: [a.example.com]'), nameOf('lifetime: 30d', await newKey())];
    expect(new Set([same, ...others]).size).toBe(4);
  });
});
