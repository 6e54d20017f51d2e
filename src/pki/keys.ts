import { createPrivateKey, generateKeyPair as generate, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { KeyFault } from './certificate-faults.ts';
import { toPem } from './pem.ts';
import { type PemBlock, pemBlocks } from './pem-blocks.ts';
import { PrivateKey } from './private-key.ts';
import type { KeyType } from './types.ts';
import { canSign } from './x509.ts';

const generateAsync = promisify(generate);

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** Generates a key pair on Node's thread pool, so that several can be generated at once. */
export function generateKeyPair(type: KeyType): Promise<KeyPair> {
  switch (type) {
    case 'ecdsa-p256':
      return generateAsync('ec', { namedCurve: 'prime256v1' });
    case 'ecdsa-p384':
      return generateAsync('ec', { namedCurve: 'secp384r1' });
    default:
      return generateAsync('rsa', { modulusLength: Number(type.slice('rsa-'.length)) });
  }
}

const curveNames = new Map([
  ['prime256v1', 'p256'],
  ['secp224r1', 'p224'],
  ['secp384r1', 'p384'],
  ['secp521r1', 'p521'],
]);

/** Kind and strength of a key, public or private: `ecdsa-p256`, `rsa-2048`, `ed25519`. */
export function describeKey(key: KeyObject): string {
  const { asymmetricKeyType: type = 'unknown', asymmetricKeyDetails: details = {} } = key;
  if (type === 'ec') return `ecdsa-${curveNames.get(details.namedCurve ?? '') ?? details.namedCurve ?? 'unknown'}`;
  return details.modulusLength === undefined ? type : `${type}-${details.modulusLength}`;
}

/** Wraps a private key as PKCS#8 PEM. */
export const toPrivateKey = (key: KeyObject): PrivateKey => new PrivateKey(key.export({ type: 'pkcs8', format: 'pem' }).toString());

export type ReadKey = { readonly key: KeyObject; readonly fault?: undefined } | { readonly key?: undefined; readonly fault: KeyFault };

/**
 * Reads a private key that can sign certificates: PKCS#8, PKCS#1 or SEC1 PEM, plain or encrypted.
 * Other PEM blocks and text around it are ignored.
 * @returns the key, or why there is none. The fault never contains any part of the key.
 */
export function readPrivateKey(text: string, { passphrase }: { readonly passphrase?: string } = {}): ReadKey {
  const blocks = pemBlocks(text);
  const block = blocks.find(isPrivateKey);
  return block ? keyOfBlock(block, passphrase) : { fault: { code: 'no-key', found: foundIn(blocks) } };
}

/** Reads all private keys of a text, each with the line where it begins, counted from 1. */
export const readPrivateKeys = (text: string): readonly (ReadKey & { readonly line: number })[] =>
  pemBlocks(text)
    .filter(isPrivateKey)
    .map((block) => ({ ...keyOfBlock(block), line: block.line }));

const isPrivateKey = ({ label }: PemBlock): boolean => label.endsWith('PRIVATE KEY');

function keyOfBlock(block: PemBlock, passphrase?: string): ReadKey {
  if (!block.der) return { fault: { code: 'damaged-key', line: block.line, reason: block.fault } };
  if (block.label === 'OPENSSH PRIVATE KEY') return { fault: { code: 'openssh-key' } };
  const encrypted = isEncrypted(block);
  if (encrypted && passphrase === undefined) return { fault: { code: 'passphrase-needed' } };
  const read = parseKey(block, block.der, encrypted ? passphrase : undefined);
  if (read.key && !canSign(read.key)) return { fault: { code: 'unsupported-key', key: describeKey(read.key) } };
  return read;
}

/** Whether a private key's block is encrypted, in the form of PKCS#8 or of RFC 1421. */
export const isEncrypted = ({ label, headers }: PemBlock): boolean =>
  label === 'ENCRYPTED PRIVATE KEY' || headers.some((header) => /^Proc-Type:.*ENCRYPTED/.test(header));

function foundIn(blocks: readonly PemBlock[]): Extract<KeyFault, { code: 'no-key' }>['found'] {
  const labels = blocks.map(({ label }) => label);
  if (labels.includes('CERTIFICATE')) return 'certificate';
  return labels.includes('PUBLIC KEY') ? 'public-key' : 'nothing';
}

/** Rebuilds the block from its parts, so that nothing around it reaches OpenSSL. */
function parseKey({ line, label, headers }: PemBlock, der: Buffer, passphrase: string | undefined): ReadKey {
  const [first = '', ...rest] = toPem(label, der).split('\n');
  const pem = [first, ...headers, ...(headers.length > 0 ? [''] : []), ...rest].join('\n');
  try {
    return { key: createPrivateKey(passphrase === undefined ? pem : { key: pem, passphrase }) };
  } catch (cause) {
    if (passphrase === undefined) return { fault: { code: 'damaged-key', line, reason: 'its content is not a key' } };
    if ((cause as NodeJS.ErrnoException).code === 'ERR_OSSL_EVP_UNSUPPORTED') return { fault: { code: 'outdated-cipher' } };
    // A wrong passphrase passes the padding check about once in 256 times and then yields garbage,
    // so that any other failure means it too.
    return { fault: { code: 'wrong-passphrase' } };
  }
}
