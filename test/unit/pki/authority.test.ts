import { beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { createAuthority, type ExistingAuthority, loadAuthority } from '../../../src/pki/authority.ts';
import { caConstraints, endEntityConstraints, keyUsage } from '../../../src/pki/extensions.ts';
import { inspect } from '../../../src/pki/inspect.ts';
import { PassphraseNeeded, toPrivateKey } from '../../../src/pki/keys.ts';
import { day, fixture, inDays, type Made, make, makeCa, now } from './certificates.ts';

const request = { commonName: 'wardle CA', keyType: 'ecdsa-p256', lifetimeMs: 3650 * day, now } as const;

describe('createAuthority', () => {
  it('makes a CA that can issue leaves and nothing else', async () => {
    const { certificates } = await createAuthority(request);
    const [ca, ...others] = inspect(certificates).certificates;
    expect(others).toEqual([]);
    expect(ca).toMatchObject({
      subject: 'CN=wardle CA',
      issuer: 'CN=wardle CA',
      selfSigned: true,
      isCA: true,
      pathLength: 0,
      keyUsage: ['keyCertSign', 'cRLSign'],
      nameConstraints: undefined,
      notBefore: '2026-06-15T11:55:00.000Z',
      notAfter: inDays(3650).toISOString(),
    });
    expect(ca?.subjectKeyId).toMatch(/^[0-9A-F]{40}$/);
    expect(ca?.authorityKeyId).toBe(ca?.subjectKeyId);
  });

  it('limits it to the names, and excludes every IP address when none is among them', async () => {
    const constrainTo = { dns: ['api.wardle.svc', 'api', '*.example.com', 'example.com'], ip: [] };
    const { certificates } = await createAuthority({ ...request, constrainTo });
    expect(inspect(certificates).certificates[0]?.nameConstraints).toEqual({
      permittedDns: ['api.wardle.svc', 'api', 'example.com'],
      excludedDns: [],
      permittedIp: [],
      excludedIp: ['0.0.0.0/0', '::/0'],
    });
  });

  it('permits single IP addresses, and excludes every DNS name when none is among them', async () => {
    const { certificates } = await createAuthority({ ...request, constrainTo: { dns: [], ip: ['10.0.0.1', 'fd00::1'] } });
    expect(inspect(certificates).certificates[0]?.nameConstraints).toEqual({
      permittedDns: [],
      excludedDns: [''],
      permittedIp: ['10.0.0.1/32', 'fd00::1/128'],
      excludedIp: [],
    });
  });

  it('cuts a name that is too long for X.509', async () => {
    const { certificates } = await createAuthority({ ...request, commonName: 'ä'.repeat(80) });
    expect(inspect(certificates).certificates[0]?.commonName).toBe('ä'.repeat(64));
  });
});

describe('loadAuthority', () => {
  let root: Made;
  let middle: Made;
  let issuing: Made;
  let stranger: Made;
  beforeAll(async () => {
    root = await makeCa({ commonName: 'root' });
    middle = await makeCa({ commonName: 'middle', issuer: root });
    issuing = await makeCa({ commonName: 'issuing', issuer: middle });
    stranger = await makeCa({ commonName: 'stranger' });
  });
  const pem = (...made: Made[]): string => made.map(({ info }) => info.pem).join('some words\n');
  const keyOf = ({ keyPair }: Made): string => toPrivateKey(keyPair.privateKey).reveal();
  const subjects = (certificates: string): string[] => inspect(certificates).certificates.map(({ subject }) => subject);

  it('puts the certificate of the key first, then the CAs above it, whatever the order, and nothing else', () => {
    const shuffled = pem(stranger, root, issuing, middle);
    expect(subjects(loadAuthority({ certificates: shuffled, key: keyOf(issuing), now }).certificates)).toEqual([
      'CN=issuing',
      'CN=middle',
      'CN=root',
    ]);
    expect(subjects(loadAuthority({ certificates: shuffled, key: keyOf(stranger), now }).certificates)).toEqual(['CN=stranger']);
    expect(subjects(loadAuthority({ certificates: pem(issuing), key: keyOf(issuing), now }).certificates)).toEqual(['CN=issuing']);
  });

  it('takes the renewed certificate when an old one of the same key is there too', async () => {
    const renewed = await makeCa({ commonName: 'stranger', keyPair: stranger.keyPair, notAfter: inDays(900) });
    const { certificates } = loadAuthority({ certificates: pem(stranger, renewed), key: keyOf(stranger), now });
    expect(certificates).toBe(renewed.info.pem);
  });

  it('takes an intermediate of openssl, and asks for a passphrase', () => {
    const certificates = fixture('root.crt') + fixture('intermediate.crt');
    expect(subjects(loadAuthority({ certificates, key: fixture('intermediate.key'), now: new Date('2100-01-01') }).certificates)).toEqual([
      'CN=Intermediate,O=Wardle',
      'CN=Root,O=Wardle\\, quoted & Sons,C=DE',
    ]);
    expect(() => loadAuthority({ certificates, key: fixture('key-encrypted-pkcs8.pem'), now })).toThrow(PassphraseNeeded);
  });

  const refusals: [string, () => Promise<Omit<ExistingAuthority, 'now'>>, string][] = [
    ['an empty file', async () => ({ certificates: '', key: keyOf(root) }), 'the CA certificate file holds no certificate'],
    [
      'a key as certificate',
      async () => ({ certificates: keyOf(root), key: keyOf(root) }),
      'the CA certificate file holds a private key where a certificate is expected',
    ],
    [
      'a cut file',
      async () => ({ certificates: pem(root).slice(0, 300), key: keyOf(root) }),
      'the CA certificate in line 1 is broken: its -----END CERTIFICATE----- line is missing',
    ],
    [
      "another CA's key",
      async () => ({ certificates: pem(root, middle), key: keyOf(stranger) }),
      'the CA key does not belong to the CA certificate (CN=root and CN=middle)',
    ],
    [
      'a certificate as key',
      async () => ({ certificates: pem(root), key: pem(root) }),
      'the key file holds a certificate where a private key is expected',
    ],
    ...(
      [
        ['a leaf', { extensions: [endEntityConstraints()] }, 'CN=ca is not a CA: its basicConstraints say CA:FALSE'],
        ['no basicConstraints', { extensions: [] }, 'CN=ca is not a CA: it has no basicConstraints'],
        [
          'no keyCertSign',
          { extensions: [caConstraints(0), keyUsage('digitalSignature')] },
          'the CA CN=ca may not sign certificates: its keyUsage lacks keyCertSign',
        ],
        [
          'an expired CA',
          { extensions: [caConstraints(0)], notBefore: inDays(-9), notAfter: inDays(-1) },
          'the CA CN=ca expired on 2026-06-14T12:00:00.000Z',
        ],
        [
          'a CA of tomorrow',
          { extensions: [caConstraints(0)], notBefore: inDays(1) },
          'the CA CN=ca is not valid before 2026-06-16T12:00:00.000Z',
        ],
      ] as const
    ).map(([words, recipe, message]): [string, () => Promise<Omit<ExistingAuthority, 'now'>>, string] => [
      words,
      async () => {
        const made = await make({ commonName: 'ca', ...recipe });
        return { certificates: made.info.pem, key: keyOf(made) };
      },
      message,
    ]),
  ];
  it.each(refusals)('refuses %s', async (_, files, message) => {
    const given = await files();
    const load = (): unknown => loadAuthority({ ...given, now });
    expect(load).toThrow(UsageError);
    expect(load).toThrow(message);
  });
});
