import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encode, implicit, type Node, octets, oid, sequence, utf8 } from '../../../src/pki/der.ts';
import { certificateInfo, inspect } from '../../../src/pki/inspect.ts';
import type { PemItem } from '../../../src/pki/types.ts';
import { fixture, make } from './certificates.ts';

const kinds = (text: string | Uint8Array): string[] =>
  inspect(text).items.map((item) => `${item.line} ${item.kind} ${item.kind === 'certificate' ? item.certificate.subject : item.label}`);
const reasons = (text: string | Uint8Array): string[] =>
  inspect(text).items.map((item) => (item.kind === 'broken' ? `${item.line} ${item.label}: ${item.reason}` : item.kind));

const leaf = fixture('leaf.crt');
const root = fixture('root.crt');
const lines = leaf.trimEnd().split('\n');
const derOf = (pem: string): Buffer => Buffer.from(pem.replace(/-----.*-----/g, ''), 'base64');
const extension = (id: string, value: Node): Node => sequence(oid(id), octets(encode(value)));

describe('inspect', () => {
  it('reads what openssl wrote into a certificate', () => {
    expect(inspect(leaf).certificates[0]).toMatchObject({
      subject: 'CN=api.wardle.svc',
      commonName: 'api.wardle.svc',
      issuer: 'CN=Intermediate,O=Wardle',
      dnsNames: ['api.wardle.svc', '*.example.com'],
      ipAddresses: ['10.0.0.1'],
      isCA: false,
      keyUsage: ['digitalSignature'],
      extendedKeyUsage: ['serverAuth'],
      publicKey: 'ecdsa-p256',
      signatureAlgorithm: 'ecdsa-with-SHA256',
      authorityKeyId: inspect(fixture('intermediate.crt')).certificates[0]?.subjectKeyId,
      selfSigned: false,
      pem: leaf,
    });
    expect(inspect(root).certificates[0]).toMatchObject({
      subject: 'CN=Root,O=Wardle\\, quoted & Sons,C=DE',
      isCA: true,
      pathLength: undefined,
      keyUsage: ['keyCertSign', 'cRLSign'],
      extendedKeyUsage: undefined,
      nameConstraints: undefined,
      publicKey: 'rsa-2048',
      signatureAlgorithm: 'sha256WithRSAEncryption',
      selfSigned: true,
    });
    expect(inspect(fixture('bmp-ca.crt')).certificates[0]?.subject).toBe('O=Müller');
  });

  it('lists everything in a file, with its line, and no key content', () => {
    const text = [
      'Bag Attributes',
      leaf,
      fixture('key-sec1.pem'),
      'words',
      fixture('key-encrypted-pkcs1.pem'),
      root,
      fixture('request.csr'),
    ].join('\n');
    expect(kinds(text)).toEqual([
      '2 certificate CN=api.wardle.svc',
      expect.stringMatching(/^\d+ other EC PARAMETERS$/),
      expect.stringMatching(/^\d+ private-key EC PRIVATE KEY$/),
      expect.stringMatching(/^\d+ private-key RSA PRIVATE KEY$/),
      expect.stringMatching(/^\d+ certificate CN=Root/),
      expect.stringMatching(/^\d+ other CERTIFICATE REQUEST$/),
    ]);
    const keys = inspect(text).items.filter((item) => item.kind === 'private-key');
    expect(keys.map((item) => Object.keys(item))).toEqual([
      ['kind', 'line', 'encrypted', 'label'],
      ['kind', 'line', 'encrypted', 'label'],
    ]);
    expect(keys.map(({ encrypted }) => encrypted)).toEqual([false, true]);
  });

  it('takes CRLF, blanks at line ends, and bytes', () => {
    expect(kinds(leaf.replaceAll('\n', '\r\n'))).toEqual(['1 certificate CN=api.wardle.svc']);
    expect(kinds(leaf.replaceAll('\n', ' \t\n'))).toEqual(['1 certificate CN=api.wardle.svc']);
    expect(kinds(leaf.trimEnd())).toEqual(['1 certificate CN=api.wardle.svc']);
    expect(kinds(Buffer.from(leaf))).toEqual(['1 certificate CN=api.wardle.svc']);
  });

  it.each([
    ['nothing', '', []],
    ['words', 'no certificate here', []],
    ['a byte order mark', `\ufeff${leaf}`, ['1 CERTIFICATE: a byte order mark precedes -----BEGIN']],
    ['a byte order mark in bytes', Buffer.from(`\ufeff${leaf}`), ['1 CERTIFICATE: a byte order mark precedes -----BEGIN']],
    ['indentation', leaf.replace(/^/gm, '  '), ['1 CERTIFICATE: its -----BEGIN line is indented']],
    ['YAML', `ca.crt: ${leaf}`, ['1 CERTIFICATE: other text precedes -----BEGIN on the same line']],
    ['one line', lines.join(' '), ['1 CERTIFICATE: its line breaks are missing: text follows on the -----BEGIN line']],
    ['escaped line breaks', lines.join('\\n'), ['1 CERTIFICATE: its line breaks are missing: text follows on the -----BEGIN line']],
    ['no END', lines.slice(0, -1).join('\n'), ['1 CERTIFICATE: its -----END CERTIFICATE----- line is missing']],
    [
      'no END before the next',
      `${lines.slice(0, -1).join('\n')}\n${leaf}`,
      ['1 CERTIFICATE: its -----END CERTIFICATE----- line is missing', 'certificate'],
    ],
    ['an indented END', leaf.replace('-----END', ' -----END'), ['1 CERTIFICATE: its -----END line is indented']],
    ['another END', leaf.replace('END CERTIFICATE', 'END PRIVATE KEY'), ['1 CERTIFICATE: its last line is not -----END CERTIFICATE-----']],
    ['bad base64', leaf.replace('MII', 'M*I'), ['1 CERTIFICATE: it contains characters that are not base64']],
    ['cut base64', leaf.replace(/(.{10})\n-----END/, '\n-----END'), [expect.stringMatching(/^1 CERTIFICATE: its base64 is truncated$/)]],
    ['nothing inside', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----', ['1 CERTIFICATE: it is empty']],
    [
      'a lost line',
      [...lines.slice(0, 3), ...lines.slice(4)].join('\n'),
      [expect.stringMatching(/^1 CERTIFICATE: it is not a certificate: /)],
    ],
    ['headers', leaf.replace('\n', '\nA: b\n\n'), ['1 CERTIFICATE: it has headers, and Go skips certificates with headers']],
    ['DER', derOf(leaf), ['1 CERTIFICATE: it is DER; convert it with openssl x509 -inform der']],
    ['base64 twice', Buffer.from(leaf).toString('base64'), ['1 CERTIFICATE: it is PEM, but base64-encoded']],
    ['base64 alone', lines.slice(1, -1).join('\n'), ['1 CERTIFICATE: it is base64 without its -----BEGIN and -----END lines']],
    ['UTF-16', Buffer.from(`\ufeff${leaf}`, 'utf16le'), ['1 : it is UTF-16; PEM must be plain ASCII']],
  ] as const)('reports what is wrong with %s', (_, text, expected) => {
    expect(reasons(text)).toEqual(expected);
  });

  it('lets no control character of a name through', async () => {
    const { info } = await make({ commonName: 'a\u001b[31mb\u202ec\u0000\n' });
    expect(info.subject).toBe('CN=a\\1B[31mb\\E2\\80\\AEc\\00\\0A');
    expect(info.commonName).toBe('a\\1B[31mb\\E2\\80\\AEc\\00\\0A');
    const names = sequence(implicit(2, Buffer.from('api.wardle.svc\0.evil')), implicit(2, Buffer.from([0x1b, 0xe9])));
    const hostile = await make({ commonName: 'x', extensions: [extension('2.5.29.17', names)] });
    expect(hostile.info.dnsNames).toEqual(['api.wardle.svc\\00.evil', '\\1b\\e9']);
  });

  it('refuses what Go refuses and Node does not', async () => {
    const twice = [extension('1.2.3.4', utf8('a')), extension('1.2.3.4', utf8('b'))];
    await expect(make({ commonName: 'x', extensions: twice })).rejects.toThrow('its extension 1.2.3.4 appears twice');
  });

  it('finds exactly the blocks among any junk', () => {
    const block = fc.constantFrom(leaf, root, fixture('key-sec1.pem'), fixture('request.csr'), fixture('key-encrypted-pkcs1.pem'));
    const junk = fc.string({ unit: 'binary', maxLength: 60 }).filter((text) => !text.includes('-----'));
    const alone = (text: string): PemItem[] => inspect(text).items.map((item) => ({ ...item, line: 0 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(junk, block), { maxLength: 6 }), junk, (parts, end) => {
        const text = parts.map(([before, pem]) => `${before}\n${pem}`).join('') + end;
        fc.pre(parts.length > 0);
        expect(alone(text)).toEqual(parts.flatMap(([, pem]) => alone(pem)));
      }),
      { numRuns: 60 },
    );
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => inspect(bytes).items.every(({ line }) => line > 0)));
    const spoilt = fc.tuple(fc.nat(derOf(leaf).length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(spoilt, { minLength: 1, maxLength: 8 }), (changes) => {
        const der = derOf(leaf);
        for (const [index, byte] of changes) der[index] = byte;
        return inspect(`-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`).items.length === 1;
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['line breaks', '\n'],
    ['BEGIN lines', '-----BEGIN CERTIFICATE-----\n'],
    ['BEGIN on one line', '-----BEGIN '],
    ['END lines', '-----END CERTIFICATE-----\n'],
    ['blanks', ' \t'],
    ['headers', 'a: b\n'],
    ['base64', 'AAAA'],
    ['nested sequences in DER', '0\x80'],
  ])('finds no certificate in a megabyte of %s', (_, piece) => {
    const junk = piece.repeat(Math.ceil(1_000_000 / piece.length));
    const inputs = [
      junk,
      `-----BEGIN CERTIFICATE-----\n${junk}\n-----END CERTIFICATE-----\n`,
      `-----BEGIN CERTIFICATE-----\n${Buffer.from(junk).toString('base64')}\n-----END CERTIFICATE-----\n`,
      Buffer.from(junk, 'latin1'),
    ];
    for (const input of inputs) expect(inspect(input).certificates).toEqual([]);
  });
});

describe('certificateInfo', () => {
  it('reads a certificate as inspect does', () => {
    expect(certificateInfo(derOf(leaf))).toEqual(inspect(leaf).certificates[0]);
  });
});
