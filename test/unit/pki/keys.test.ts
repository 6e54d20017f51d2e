import { createPublicKey, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { certificateFaultFix, keyFaultText } from '../../../src/pki/certificate-faults.ts';
import { describeKey, generateKeyPair, readPrivateKey, toPrivateKey } from '../../../src/pki/keys.ts';
import { keyTypes } from '../../../src/pki/types.ts';
import { fixture, keyIn } from './certificates.ts';

const publicPem = (key: KeyObject): string => createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();

describe('generateKeyPair', () => {
  it.each(keyTypes.filter((type) => type !== 'rsa-3072' && type !== 'rsa-4096'))('makes %s, and the key survives PKCS#8', async (type) => {
    const { publicKey, privateKey } = await generateKeyPair(type);
    expect(describeKey(publicKey)).toBe(type);
    expect(describeKey(privateKey)).toBe(type);
    const read = keyIn(toPrivateKey(privateKey).reveal());
    expect(publicPem(read)).toBe(publicKey.export({ type: 'spki', format: 'pem' }));
  });

  it('gives keys that do not show themselves', async () => {
    const { privateKey } = await generateKeyPair('ecdsa-p256');
    const key = toPrivateKey(privateKey);
    expect(`${key} ${JSON.stringify({ key })}`).toBe('[private key] {"key":"[private key]"}');
  });
});

describe('readPrivateKey', () => {
  const rsa = publicPem(keyIn(fixture('key-pkcs8-rsa.pem')));
  const ec = publicPem(keyIn(fixture('key-sec1.pem')));
  const passphrase = 'geheim';

  it.each([
    ['key-pkcs8-rsa.pem', 'rsa-2048', rsa],
    ['key-pkcs1.pem', 'rsa-2048', rsa],
    ['key-encrypted-pkcs1.pem', 'rsa-2048', rsa],
    ['key-sec1.pem', 'ecdsa-p256', ec],
    ['key-encrypted-pkcs8.pem', 'ecdsa-p256', ec],
    ['key-encrypted-sec1.pem', 'ecdsa-p256', ec],
    ['intermediate.key', 'ecdsa-p384', undefined],
    ['key-ed25519.pem', 'ed25519', undefined],
  ])('reads %s as %s', (file, kind, expected) => {
    const key = keyIn(fixture(file), passphrase);
    expect(describeKey(key)).toBe(kind);
    if (expected) expect(publicPem(key)).toBe(expected);
  });

  it.each(['key-encrypted-pkcs8.pem', 'key-encrypted-pkcs1.pem', 'key-encrypted-sec1.pem'])('asks for the passphrase of %s', (file) => {
    expect(readPrivateKey(fixture(file))).toEqual({ fault: { code: 'passphrase-needed' } });
    expect(readPrivateKey(fixture(file), { passphrase: 'wrong' })).toEqual({ fault: { code: 'wrong-passphrase' } });
    expect(readPrivateKey(fixture(file), { passphrase: '' })).toEqual({ fault: { code: 'wrong-passphrase' } });
  });

  it('does not let a passphrase hinder a plain key', () => {
    expect(publicPem(keyIn(fixture('key-sec1.pem'), passphrase))).toBe(ec);
  });

  it('finds the key among certificates, text and CRLF line ends', () => {
    const text = `Bag Attributes: none\n${fixture('leaf.crt')}some words\n${fixture('key-encrypted-sec1.pem')}${fixture('root.crt')}`;
    expect(publicPem(keyIn(text.replaceAll('\n', '\r\n'), passphrase))).toBe(ec);
  });

  it.each([
    ['', { code: 'no-key', found: 'nothing' }, 'no private key found'],
    ['hello', { code: 'no-key', found: 'nothing' }, 'no private key found'],
    [fixture('leaf.crt'), { code: 'no-key', found: 'certificate' }, 'expected a private key, found a certificate'],
    [fixture('key-public.pem'), { code: 'no-key', found: 'public-key' }, 'expected a private key, found a public key'],
    [
      fixture('key-x25519.pem'),
      { code: 'unsupported-key', key: 'x25519' },
      'unsupported type of private key for serving certificates: x25519',
    ],
    [
      fixture('key-secp256k1.pem'),
      { code: 'unsupported-key', key: 'ecdsa-secp256k1' },
      'unsupported type of private key for serving certificates: ecdsa-secp256k1',
    ],
    [fixture('key-openssh.pem'), { code: 'openssh-key' }, 'the private key is in OpenSSH format, which TLS does not use'],
    [
      fixture('key-outdated.pem'),
      { code: 'outdated-cipher' },
      'the private key is encrypted with a cipher that OpenSSL 3 no longer supports',
    ],
    [
      fixture('key-pkcs8-rsa.pem').slice(0, -40),
      { code: 'damaged-key', line: 1, reason: 'its -----END PRIVATE KEY----- line is missing' },
      'the private key on line 1 is damaged: its -----END PRIVATE KEY----- line is missing',
    ],
    [
      '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
      { code: 'damaged-key', line: 1, reason: 'its content is not a key' },
      'the private key on line 1 is damaged: its content is not a key',
    ],
  ])('reports what is wrong (%#)', (text, expected, message) => {
    const { fault } = readPrivateKey(text, { passphrase });
    expect(fault).toEqual(expected);
    expect(fault && keyFaultText(fault)).toBe(message);
  });

  it.each([
    ['openssh-key', 'To convert an RSA or ECDSA key: ssh-keygen -p -m PKCS8 -f ca.key\nssh-keygen cannot convert an Ed25519 key.'],
    [
      'outdated-cipher',
      'Encrypt the key again: openssl pkcs8 -topk8 -v2 aes-256-cbc -provider legacy -provider default -in ca.key -out NEW-FILE',
    ],
    ['unsupported-key', 'Use an RSA key, an ECDSA key on P-256, P-384 or P-521, or an Ed25519 key.'],
  ] as const)('has a fix for %s', (code, fix) => {
    expect(certificateFaultFix({ code }, 'ca.key')).toBe(fix);
  });

  it('never puts the key into a fault', () => {
    const [, secret = ''] = fixture('key-pkcs8-rsa.pem').split('\n');
    for (const damaged of [fixture('key-pkcs8-rsa.pem').replace('MII', 'M!I'), fixture('key-pkcs8-rsa.pem').replace('MII', 'MIA')]) {
      const { fault } = readPrivateKey(damaged);
      expect(fault?.code).toBe('damaged-key');
      expect(JSON.stringify(fault)).not.toContain(secret.slice(8, 40));
    }
  });
});
