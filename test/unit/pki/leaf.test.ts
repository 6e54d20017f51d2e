import { createPublicKey, X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { createAuthority } from '../../../src/pki/authority.ts';
import { caConstraints, extendedKeyUsage, keyUsage } from '../../../src/pki/extensions.ts';
import { inspect } from '../../../src/pki/inspect.ts';
import { issue, issueServing } from '../../../src/pki/leaf.ts';
import type { Authority, CertificateInfo, Leaf } from '../../../src/pki/types.ts';
import { asAuthority, day, fixture, inDays, keyIn, keyOf, loaded, makeCa, now } from './certificates.ts';

const names = { dns: ['api.wardle.svc', 'api', '*.example.com'], ip: ['10.0.0.1', 'fd00::1'] };
const request = { names, keyType: 'ecdsa-p256', lifetimeMs: 365 * day, now } as const;
const newAuthority = (keyType: 'ecdsa-p256' | 'rsa-2048' = 'ecdsa-p256'): Promise<Authority> =>
  createAuthority({ commonName: 'CA', keyType, lifetimeMs: 3650 * day, now });

const first = ({ certificates }: Authority | Leaf): CertificateInfo => {
  const [certificate] = inspect(certificates).certificates;
  if (!certificate) throw new Error('no certificate');
  return certificate;
};

describe('issueServing', () => {
  let authority: Authority;
  beforeAll(async () => {
    authority = await newAuthority();
  });

  it('makes a serving certificate and nothing more', async () => {
    const leaf = await issueServing({ authority, ...request });
    expect(inspect(leaf.certificates).certificates).toHaveLength(1);
    expect(first(leaf)).toMatchObject({
      subject: 'CN=api.wardle.svc',
      issuer: 'CN=CA',
      dnsNames: names.dns,
      ipAddresses: names.ip,
      isCA: false,
      pathLength: undefined,
      keyUsage: ['digitalSignature'],
      extendedKeyUsage: ['serverAuth'],
      authorityKeyId: first(authority).subjectKeyId,
      notBefore: '2026-06-15T11:55:00.000Z',
      notAfter: inDays(365).toISOString(),
      selfSigned: false,
      signatureAlgorithm: 'ecdsa-with-SHA256',
    });
    expect(new X509Certificate(leaf.certificates).checkPrivateKey(keyOf(leaf))).toBe(true);
  });

  it('makes the RSA key while the RSA authority is in the making, and allows key encipherment', async () => {
    const made = newAuthority('rsa-2048');
    const leaf = await issueServing({ authority: made, ...request, keyType: 'rsa-2048' });
    expect(first(leaf)).toMatchObject({
      publicKey: 'rsa-2048',
      keyUsage: ['digitalSignature', 'keyEncipherment'],
      signatureAlgorithm: 'sha256WithRSAEncryption',
      authorityKeyId: first(await made).subjectKeyId,
    });
  });

  it('leaves the common name out when it is too long, and makes the names critical', async () => {
    const long = `${'a'.repeat(60)}.${'b'.repeat(60)}.svc`;
    const leaf = await issueServing({ authority, ...request, names: { dns: [long], ip: [] } });
    expect(first(leaf)).toMatchObject({ subject: '', commonName: undefined, dnsNames: [long] });
    // subjectAltName, critical (RFC 5280 4.2.1.6)
    expect(new X509Certificate(leaf.certificates).raw.includes(Buffer.from('0603551d110101ff', 'hex'))).toBe(true);
  });

  it('does not begin before the CA does', async () => {
    const young = asAuthority(await makeCa({ commonName: 'young', notBefore: now }));
    expect(first(await issueServing({ authority: young, ...request, lifetimeMs: day })).notBefore).toBe(now.toISOString());
  });

  it('brings the intermediates along, and never a self-signed CA', async () => {
    const root = await makeCa({ commonName: 'root' });
    const middle = await makeCa({ commonName: 'middle', issuer: root });
    const leaf = await issueServing({ authority: asAuthority(middle, root), ...request });
    expect(inspect(leaf.certificates).certificates.map(({ subject }) => subject)).toEqual(['CN=api.wardle.svc', 'CN=middle']);
  });

  it.each([
    ['t61-ca', '060355040a14064dfc6c6c6572'],
    ['bmp-ca', '060355040a1e0c004d00fc006c006c00650072'],
    ['intermediate', '060355040a0c0657617264'],
  ])('takes over the name of %s byte for byte, however it is encoded', async (name, encoded) => {
    const later = new Date('2100-01-01');
    const foreign = loaded({ certificates: fixture(`${name}.crt`), key: fixture(`${name}.key`), now: later });
    const leaf = new X509Certificate((await issueServing({ authority: foreign, ...request, now: later })).certificates);
    const ca = new X509Certificate(foreign.certificates);
    expect(leaf.checkIssued(ca) && leaf.verify(ca.publicKey)).toBe(true);
    expect([ca, leaf].map(({ raw }) => raw.includes(Buffer.from(encoded, 'hex')))).toEqual([true, true]);
  });

  it('issues from any CA key that Go can verify', async () => {
    const privateKey = keyIn(fixture('key-ed25519.pem'));
    const ed25519 = { publicKey: createPublicKey(privateKey), privateKey };
    const ca = await makeCa({ commonName: 'ed', keyPair: ed25519 });
    const leaf = await issueServing({ authority: asAuthority(ca), ...request, lifetimeMs: day });
    expect(first(leaf).signatureAlgorithm).toBe('ed25519');
    expect(new X509Certificate(leaf.certificates).verify(ed25519.publicKey)).toBe(true);
  });

  it('gives every certificate a unique serial, positive and at most 20 bytes', async () => {
    const serials = new Set<string>();
    for (let index = 0; index < 40; index += 1) serials.add(first(await issueServing({ authority, ...request })).serial);
    expect(serials.size).toBe(40);
    for (const serial of serials) expect(serial.length).toBeLessThanOrEqual(32);
  });

  describe('refuses', () => {
    const refusals: [string, () => Promise<Authority>, string][] = [
      [
        'to outlive the CA',
        () => createAuthority({ commonName: 'CA', keyType: 'ecdsa-p256', lifetimeMs: 100 * day, now }),
        'the CA CN=CA expires on 2026-09-23, before the new certificate would expire (2027-06-15)',
      ],
      [
        'to outlive the CA by hours',
        () => createAuthority({ commonName: 'CA', keyType: 'ecdsa-p256', lifetimeMs: 365 * day - 3_600_000, now }),
        'the CA CN=CA expires on 2027-06-15T11:00:00.000Z, before the new certificate would expire (2027-06-15T12:00:00.000Z)',
      ],
      [
        'to outlive a CA above the issuing one',
        async () => {
          const root = await makeCa({ commonName: 'root', notAfter: inDays(30) });
          return asAuthority(await makeCa({ commonName: 'middle', issuer: root, notAfter: inDays(400) }), root);
        },
        'the CA CN=root expires on 2026-07-15, before the new certificate would expire (2027-06-15)',
      ],
      [
        'names that the CA is not permitted',
        () =>
          createAuthority({
            commonName: 'CA',
            keyType: 'ecdsa-p256',
            lifetimeMs: 3650 * day,
            constrainTo: { dns: ['wardle.svc', 'api'], ip: [] },
            now,
          }),
        'the CA CN=CA cannot issue a certificate for *.example.com, 10.0.0.1, fd00::1: the name constraints of the CA do not permit these names',
      ],
      [
        'a chain that is longer than allowed',
        async () => {
          const root = await makeCa({ commonName: 'root', extensions: [caConstraints(0), keyUsage('keyCertSign')] });
          return asAuthority(await makeCa({ commonName: 'middle', issuer: root }), root);
        },
        'the CA CN=root allows at most 0 CAs below it (pathLenConstraint), but the chain has 1',
      ],
      [
        'a purpose that the CA does not have',
        async () => asAuthority(await makeCa({ commonName: 'CA', extensions: [caConstraints(0), extendedKeyUsage(['clientAuth'])] })),
        'the CA CN=CA cannot issue the certificate: the extendedKeyUsage of the CA does not include serverAuth',
      ],
    ];
    it('what is not an IP address', async () => {
      const attempt = issueServing({ authority, ...request, names: { dns: [], ip: ['10.0.0'] } });
      await expect(attempt).rejects.toThrow('not an IP address: 10.0.0');
    });

    it.each(refusals)('%s', async (_, make, message) => {
      const attempt = issueServing({ authority: await make(), ...request });
      await expect(attempt).rejects.toThrow(UsageError);
      await expect(attempt).rejects.toThrow(message);
      await expect(attempt).rejects.toMatchObject({ fix: expect.stringMatching(/^(Use|Choose) a /) });
    });
  });

  it('agrees with inspect, for any names', async () => {
    const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/);
    const dnsName = fc
      .tuple(fc.constantFrom('', '*.'), fc.array(label, { minLength: 1, maxLength: 4 }))
      .map(([star, labels]) => star + labels.join('.'));
    const anyNames = fc.record({
      dns: fc.uniqueArray(dnsName, { minLength: 1, maxLength: 5 }),
      ip: fc.uniqueArray(fc.ipV4(), { maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(anyNames, async (any) => {
        const constrained = await createAuthority({
          commonName: 'CA',
          keyType: 'ecdsa-p256',
          lifetimeMs: 3650 * day,
          constrainTo: any,
          now,
        });
        const { dnsNames, ipAddresses } = first(await issueServing({ authority: constrained, ...request, names: any }));
        expect({ dns: dnsNames, ip: ipAddresses }).toEqual(any);
      }),
      { numRuns: 25 },
    );
  });
});

describe('issue', () => {
  it('makes client certificates, with the groups of the user as organizations', async () => {
    const leaf = await issue({
      authority: await newAuthority(),
      ...request,
      names: { dns: [], ip: [] },
      subject: { commonName: 'admin', organizations: ['system:masters', 'devs'] },
      usages: ['clientAuth'],
    });
    expect(first(leaf)).toMatchObject({
      subject: 'CN=admin,O=devs,O=system:masters',
      extendedKeyUsage: ['clientAuth'],
      dnsNames: [],
    });
  });

  it('writes years from 2050 on in four digits', async () => {
    const authority = await createAuthority({ commonName: 'CA', keyType: 'ecdsa-p256', lifetimeMs: 100 * 365 * day, now });
    const leaf = await issueServing({ authority, ...request, lifetimeMs: 30 * 365 * day });
    expect(first(authority).notAfter).toBe(inDays(36500).toISOString());
    expect(new Date(new X509Certificate(leaf.certificates).validTo)).toEqual(inDays(30 * 365));
  });
});
