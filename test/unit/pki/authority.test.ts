import { beforeAll, describe, expect, it } from 'vitest';
import { createAuthority, type ExistingAuthority, loadAuthority } from '../../../src/pki/authority.ts';
import { type CertificateFault, certificateFaultText } from '../../../src/pki/certificate-faults.ts';
import { caConstraints, endEntityConstraints, keyUsage } from '../../../src/pki/extensions.ts';
import { inspect } from '../../../src/pki/inspect.ts';
import { toPrivateKey } from '../../../src/pki/keys.ts';
import { day, fixture, inDays, loaded, type Made, make, makeCa, now } from './certificates.ts';

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

type Refusal = [string, () => Promise<Omit<ExistingAuthority, 'now'>>, readonly CertificateFault[], string];
const names = { caCertificate: 'ca.crt', caKey: 'ca.key', certificate: 'tls.crt', key: 'tls.key' };

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
    expect(subjects(loaded({ certificates: shuffled, key: keyOf(issuing), now }).certificates)).toEqual([
      'CN=issuing',
      'CN=middle',
      'CN=root',
    ]);
    expect(subjects(loaded({ certificates: shuffled, key: keyOf(stranger), now }).certificates)).toEqual(['CN=stranger']);
    expect(subjects(loaded({ certificates: pem(issuing), key: keyOf(issuing), now }).certificates)).toEqual(['CN=issuing']);
  });

  it('takes the renewed certificate beside an old one with the same key', async () => {
    const renewed = await makeCa({ commonName: 'stranger', keyPair: stranger.keyPair, notAfter: inDays(900) });
    const { certificates } = loaded({ certificates: pem(stranger, renewed), key: keyOf(stranger), now });
    expect(certificates).toBe(renewed.info.pem);
  });

  it('takes an intermediate of openssl, and asks for a passphrase', () => {
    const certificates = fixture('root.crt') + fixture('intermediate.crt');
    expect(subjects(loaded({ certificates, key: fixture('intermediate.key'), now: new Date('2100-01-01') }).certificates)).toEqual([
      'CN=Intermediate,O=Wardle',
      'CN=Root,O=Wardle\\, quoted & Sons,C=DE',
    ]);
    expect(loadAuthority({ certificates, key: fixture('key-encrypted-pkcs8.pem'), now })).toEqual({
      faults: [{ part: 'caKey', code: 'passphrase-needed' }],
    });
  });

  const caFault = { part: 'caCertificate', subject: 'CN=ca' } as const;
  const refusals: Refusal[] = [
    [
      'an empty file',
      async () => ({ certificates: '', key: keyOf(root) }),
      [{ part: 'caCertificate', code: 'no-certificate', found: 'nothing' }],
      'ca.crt: no certificate found',
    ],
    [
      'a key as certificate',
      async () => ({ certificates: keyOf(root), key: keyOf(root) }),
      [{ part: 'caCertificate', code: 'no-certificate', found: 'private-key' }],
      'ca.crt: expected a certificate, found a private key',
    ],
    [
      'a cut file',
      async () => ({ certificates: pem(root).slice(0, 300), key: keyOf(root) }),
      [{ part: 'caCertificate', code: 'damaged-certificate', line: 1, reason: 'its -----END CERTIFICATE----- line is missing' }],
      'ca.crt: the certificate on line 1 is damaged: its -----END CERTIFICATE----- line is missing',
    ],
    [
      "another CA's key",
      async () => ({ certificates: pem(root, middle), key: keyOf(stranger) }),
      [{ part: 'caKey', code: 'key-mismatch', subjects: ['CN=root', 'CN=middle'] }],
      'ca.key: the private key does not match the certificate (CN=root and CN=middle)',
    ],
    [
      'a certificate as key',
      async () => ({ certificates: pem(root), key: pem(root) }),
      [{ part: 'caKey', code: 'no-key', found: 'certificate' }],
      'ca.key: expected a private key, found a certificate',
    ],
    ...(
      [
        [
          'a leaf',
          { extensions: [endEntityConstraints()] },
          [{ ...caFault, code: 'not-a-ca', basicConstraints: true }],
          'ca.crt: CN=ca is not a CA: its basicConstraints say CA:FALSE',
        ],
        [
          'no basicConstraints',
          { extensions: [] },
          [{ ...caFault, code: 'not-a-ca', basicConstraints: false }],
          'ca.crt: CN=ca is not a CA: it has no basicConstraints',
        ],
        [
          'no keyCertSign',
          { extensions: [caConstraints(0), keyUsage('digitalSignature')] },
          [{ ...caFault, code: 'no-cert-sign' }],
          'ca.crt: the CA CN=ca cannot sign certificates: its keyUsage lacks keyCertSign',
        ],
        [
          'an expired CA',
          { extensions: [caConstraints(0)], notBefore: inDays(-9), notAfter: inDays(-1) },
          [{ ...caFault, code: 'expired', notAfter: '2026-06-14T12:00:00.000Z' }],
          'ca.crt: CN=ca expired on 2026-06-14',
        ],
        [
          'a CA of tomorrow',
          { extensions: [caConstraints(0)], notBefore: inDays(1) },
          [{ ...caFault, code: 'not-yet-valid', notBefore: '2026-06-16T12:00:00.000Z' }],
          'ca.crt: CN=ca is not valid before 2026-06-16T12:00:00.000Z',
        ],
      ] as const
    ).map(
      ([words, recipe, faults, message]): Refusal => [
        words,
        async () => {
          const made = await make({ commonName: 'ca', ...recipe });
          return { certificates: made.info.pem, key: keyOf(made) };
        },
        faults,
        message,
      ],
    ),
  ];
  it.each(refusals)('refuses %s', async (_, files, faults, message) => {
    const result = loadAuthority({ ...(await files()), now });
    expect(result).toEqual({ faults });
    expect(result.faults.map((fault) => certificateFaultText(fault, names))).toEqual([message]);
  });

  it('reports every fault, and that it is not a CA only once', async () => {
    const made = await make({ commonName: 'ca', extensions: [keyUsage('digitalSignature')], notBefore: inDays(-9), notAfter: inDays(-1) });
    const codes = (key: string, certificates = pem(made)) => loadAuthority({ certificates, key, now }).faults.map(({ code }) => code);
    expect(codes(keyOf(made))).toEqual(['not-a-ca', 'expired']);
    expect(codes('', '')).toEqual(['no-certificate', 'no-key']);
  });
});
