import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inspect } from '../../../src/pki/inspect.ts';
import { withoutKeys } from '../../../src/pki/without-keys.ts';
import { makeCa } from './certificates.ts';

const ca = await makeCa({ commonName: 'ca' });
const certificate = ca.info.pem;
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const sec1 = privateKey.export({ type: 'sec1', format: 'pem' }).toString();
const encrypted = privateKey.export({ type: 'sec1', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' }).toString();
const keys = [pkcs8, sec1, encrypted];
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** What it holds, as far as findings tell; why something is broken may be put otherwise. */
const kinds = (bundle: Buffer) =>
  inspect(bundle).items.map((item) => ({
    ...item,
    reason: '',
    ...(item.kind === 'certificate' ? { certificate: item.certificate.pem } : {}),
  }));

/**
 * Where the secret number stands among the base64 digits; the rest of an EC key is its algorithm
 * and the public key.
 */
const secrets = (
  [
    [pkcs8, 50, 88],
    [sec1, 12, 50],
    [encrypted, 0, 150],
  ] as const
).flatMap(([key, from, to]) => {
  const body = key.replace(/-----[^-]+-----|^.*:.*$/gm, '').replace(/\s/g, '');
  return Array.from({ length: to - from - 12 }, (_, index) => body.slice(from + index, from + index + 12));
});

/** Whether any twelve digits of a key in a row are in it, however it is wrapped and encoded. */
function leaks(bundle: Buffer): boolean {
  const texts = [bundle.toString('latin1'), bundle.toString('utf16le'), bundle.toString('base64')];
  const once = texts.map((text) => Buffer.from(text, 'base64').toString('latin1'));
  const twice = once.map((text) => Buffer.from(text, 'base64').toString('latin1'));
  return [...texts, ...once, ...twice].map((text) => text.replace(/\s/g, '')).some((text) => secrets.some((part) => text.includes(part)));
}

test.each<[string, string]>([
  ['beside a certificate', certificate + pkcs8],
  ['before a certificate', sec1 + certificate],
  ['alone', pkcs8],
  ['encrypted', encrypted + certificate],
  ['without its last line', pkcs8.replace(/-----END.*\n/, '') + certificate],
  ['on one line', pkcs8.replaceAll('\n', ' ')],
  ['with a first line that does not end', pkcs8.replace('KEY-----\n', 'KEY\n')],
  ['with the line ends of Windows', pkcs8.replaceAll('\n', '\r\n')],
  ['encoded twice', base64(certificate + pkcs8)],
  ['encoded three times', base64(base64(pkcs8))],
  ['without its lines', pkcs8.replace(/-----[^-]+-----/g, '')],
  ['behind a certificate, without its lines', certificate + pkcs8.replace(/-----[^-]+-----/g, '')],
  ['behind a certificate, without its first line', certificate + pkcs8.replace(/-----BEGIN.*\n/, '')],
  ['in YAML beside a certificate', `ca.crt: |\n${certificate}tls.key: ${pkcs8.split('\n')[1]}${pkcs8.split('\n')[2]}`],
  ['with blanks in its first line', certificate + pkcs8.replace('-----BEGIN ', '----- BEGIN ')],
  ['with a blank before the last dashes', pkcs8.replace('KEY-----', 'KEY -----')],
  ['in small letters', pkcs8.replaceAll('PRIVATE KEY', 'Private Key')],
  ['of PGP', pkcs8.replaceAll('PRIVATE KEY', 'PGP PRIVATE KEY BLOCK')],
  ['called a certificate', pkcs8.replaceAll('PRIVATE KEY', 'CERTIFICATE')],
  ['encrypted and on one line', encrypted.replaceAll('\n', ' ')],
  ['in the block of a certificate', certificate.replace('-----END', `${pkcs8.split('\n')[1]}\n${pkcs8.split('\n')[2]}\n-----END`)],
  ['in a comment', `# ${pkcs8.split('\n')[1]}${pkcs8.split('\n')[2]}\n${certificate}`],
])('a key %s is not kept, and is found all the same', (_, text) => {
  const bundle = Buffer.from(text);
  const kept = withoutKeys(bundle);
  expect(leaks(bundle)).toBe(true);
  expect(leaks(kept)).toBe(false);
  expect(kinds(kept)).toEqual(kinds(bundle));
});

test('nor is one in UTF-16, or as DER', () => {
  for (const bundle of [Buffer.from(pkcs8, 'utf16le'), privateKey.export({ type: 'pkcs8', format: 'der' })]) {
    const kept = withoutKeys(bundle);
    expect(kinds(kept)).toEqual(kinds(bundle));
    expect(leaks(kept)).toBe(false);
    expect(kept.equals(bundle)).toBe(false);
    expect(kept.length).toBe(bundle.length);
  }
});

test.each<[string, Buffer]>([
  ['PEM', Buffer.from(`${certificate}\n${certificate}`)],
  ['PEM with the line ends of Windows', Buffer.from(certificate.replaceAll('\n', '\r\n'))],
  ['DER', Buffer.from(certificate.replace(/-----[^-]+-----/g, ''), 'base64')],
  ['encoded twice', Buffer.from(base64(certificate))],
  ['without its lines', Buffer.from(certificate.replace(/-----[^-]+-----/g, ''))],
  ['nothing', Buffer.alloc(0)],
])('certificates stay as they are: %s', (_, bundle) => {
  expect(withoutKeys(bundle)).toEqual(bundle);
});

test('whatever it is given', () => {
  const piece = fc.oneof(
    fc.constantFrom(certificate, ...keys, '-----BEGIN ', 'PRIVATE KEY-----', '-----END X-----', '\n', '-', '\r\n'),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const bundle = Buffer.from(pieces.join(''));
      const kept = withoutKeys(bundle);
      expect(kinds(kept).map(({ kind }) => kind)).toEqual(kinds(bundle).map(({ kind }) => kind));
      expect(withoutKeys(kept)).toEqual(kept);
      expect(leaks(kept)).toBe(false);
    }),
    { examples: [[['-----BEGIN ', '/', certificate]]] },
  );
});
