import { createPublicKey, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { describeKey, generateKeyPair, PassphraseNeeded, readPrivateKey, toPrivateKey } from '../../../src/pki/keys.ts';
import { keyTypes } from '../../../src/pki/types.ts';
import { fixture } from './certificates.ts';

const publicPem = (key: KeyObject): string => createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();

describe('generateKeyPair', () => {
  it.each(keyTypes.filter((type) => type !== 'rsa-3072' && type !== 'rsa-4096'))('makes %s, and the key survives PKCS#8', async (type) => {
    const { publicKey, privateKey } = await generateKeyPair(type);
    expect(describeKey(publicKey)).toBe(type);
    expect(describeKey(privateKey)).toBe(type);
    const read = readPrivateKey(toPrivateKey(privateKey).reveal());
    expect(publicPem(read)).toBe(publicKey.export({ type: 'spki', format: 'pem' }));
  });

  it('gives keys that do not show themselves', async () => {
    const { privateKey } = await generateKeyPair('ecdsa-p256');
    const key = toPrivateKey(privateKey);
    expect(`${key} ${JSON.stringify({ key })}`).toBe('[private key] {"key":"[private key]"}');
  });
});

describe('readPrivateKey', () => {
  const rsa = publicPem(readPrivateKey(fixture('key-pkcs8-rsa.pem')));
  const ec = publicPem(readPrivateKey(fixture('key-sec1.pem')));
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
    const key = readPrivateKey(fixture(file), { passphrase });
    expect(describeKey(key)).toBe(kind);
    if (expected) expect(publicPem(key)).toBe(expected);
  });

  it.each(['key-encrypted-pkcs8.pem', 'key-encrypted-pkcs1.pem', 'key-encrypted-sec1.pem'])('asks for the passphrase of %s', (file) => {
    expect(() => readPrivateKey(fixture(file))).toThrow(PassphraseNeeded);
    expect(() => readPrivateKey(fixture(file), { passphrase: 'wrong' })).toThrow('the passphrase does not open the private key');
    expect(() => readPrivateKey(fixture(file), { passphrase: '' })).toThrow('the passphrase does not open the private key');
  });

  it('does not let a passphrase hinder a plain key', () => {
    expect(publicPem(readPrivateKey(fixture('key-sec1.pem'), { passphrase }))).toBe(ec);
  });

  it('finds the key among certificates, text and CRLF line ends', () => {
    const text = `Bag Attributes: none\n${fixture('leaf.crt')}some words\n${fixture('key-encrypted-sec1.pem')}${fixture('root.crt')}`;
    expect(publicPem(readPrivateKey(text.replaceAll('\n', '\r\n'), { passphrase }))).toBe(ec);
  });

  it.each([
    ['', 'the key file holds no private key'],
    ['hello', 'the key file holds no private key'],
    [fixture('leaf.crt'), 'the key file holds a certificate where a private key is expected'],
    [fixture('key-public.pem'), 'the key file holds a public key where a private key is expected'],
    [fixture('key-x25519.pem'), "the private key is of a kind that can't sign serving certificates: x25519"],
    [fixture('key-secp256k1.pem'), "the private key is of a kind that can't sign serving certificates: ecdsa-secp256k1"],
    [fixture('key-openssh.pem'), 'the private key is in OpenSSH form, which is not used for certificates'],
    [fixture('key-outdated.pem'), 'the private key is encrypted with an outdated cipher that OpenSSL 3 does not read'],
    [fixture('key-pkcs8-rsa.pem').slice(0, -40), 'the private key in line 1 is damaged: its -----END PRIVATE KEY----- line is missing'],
    ['-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', 'the private key is damaged: its content is not a key'],
  ])('says what is wrong (%#)', (text, message) => {
    const read = (): KeyObject => readPrivateKey(text, { passphrase });
    expect(read).toThrow(UsageError);
    expect(read).toThrow(message);
  });

  it('never puts the key into the message', () => {
    const [, secret = ''] = fixture('key-pkcs8-rsa.pem').split('\n');
    for (const damaged of [fixture('key-pkcs8-rsa.pem').replace('MII', 'M!I'), fixture('key-pkcs8-rsa.pem').replace('MII', 'MIA')]) {
      const message = (() => {
        try {
          return String(readPrivateKey(damaged));
        } catch (error) {
          return JSON.stringify([String(error), error, String((error as Error).cause)]);
        }
      })();
      expect(message).toContain('damaged');
      expect(message).not.toContain(secret.slice(8, 40));
    }
  });
});
