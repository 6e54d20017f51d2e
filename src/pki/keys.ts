import { createPrivateKey, generateKeyPair as generate, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { UsageError } from '../errors.ts';
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

/** Makes a new key pair, on Node's thread pool: several can be made at once. */
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

/** The key is encrypted and no passphrase was given: ask for one and read again. */
export class PassphraseNeeded extends UsageError {
  constructor() {
    super('the private key is encrypted and needs its passphrase');
  }
}

/**
 * Reads a private key that certificates can be signed with, as PKCS#8, PKCS#1 or SEC1 PEM, plain or encrypted; other PEM blocks and
 * text around it don't matter.
 * @throws PassphraseNeeded when it is encrypted and there is no passphrase
 * @throws UsageError when the passphrase is wrong, when there is no key, or when it is damaged or of a kind that can't be used
 */
export function readPrivateKey(text: string, { passphrase }: { readonly passphrase?: string } = {}): KeyObject {
  const blocks = pemBlocks(text);
  const block = blocks.find(({ label }) => label.endsWith('PRIVATE KEY'));
  if (!block) throw new UsageError(absence(blocks), { fix: 'Give the file with the private key, in PEM.' });
  if (!block.der) throw new UsageError(`the private key in line ${block.line} is damaged: ${block.fault}`);
  if (block.label === 'OPENSSH PRIVATE KEY') {
    throw new UsageError('the private key is in OpenSSH form, which is not used for certificates', {
      fix: 'Convert it with ssh-keygen -p -m PKCS8 -f FILE.',
    });
  }
  const encrypted = isEncrypted(block);
  if (encrypted && passphrase === undefined) throw new PassphraseNeeded();
  const key = parseKey(block, block.der, encrypted ? passphrase : undefined);
  if (canSign(key)) return key;
  throw new UsageError(`the private key is of a kind that can't sign serving certificates: ${describeKey(key)}`, {
    fix: 'Use RSA, ECDSA on P-256, P-384 or P-521, or Ed25519.',
  });
}

/** Whether a private key's block is encrypted, in the form of PKCS#8 or of RFC 1421. */
export const isEncrypted = ({ label, headers }: PemBlock): boolean =>
  label === 'ENCRYPTED PRIVATE KEY' || headers.some((header) => /^Proc-Type:.*ENCRYPTED/.test(header));

function absence(blocks: readonly PemBlock[]): string {
  const labels = blocks.map(({ label }) => label);
  if (labels.includes('CERTIFICATE')) return 'the key file holds a certificate where a private key is expected';
  if (labels.includes('PUBLIC KEY')) return 'the key file holds a public key where a private key is expected';
  return 'the key file holds no private key';
}

/** Puts the block together again from its parts, so that nothing around it reaches OpenSSL. */
function parseKey({ label, headers }: PemBlock, der: Buffer, passphrase: string | undefined): KeyObject {
  const [first = '', ...rest] = toPem(label, der).split('\n');
  const pem = [first, ...headers, ...(headers.length > 0 ? [''] : []), ...rest].join('\n');
  try {
    return createPrivateKey(passphrase === undefined ? pem : { key: pem, passphrase });
  } catch (cause) {
    if (passphrase === undefined) throw new UsageError('the private key is damaged: its content is not a key', { cause });
    if ((cause as NodeJS.ErrnoException).code === 'ERR_OSSL_EVP_UNSUPPORTED') {
      throw new UsageError('the private key is encrypted with an outdated cipher that OpenSSL 3 does not read', {
        fix: 'Encrypt it again with openssl pkcs8 -topk8 -v2 aes-256-cbc -provider legacy -provider default -in FILE.',
        cause,
      });
    }
    // A wrong passphrase passes the padding check about once in 256 times and then gives nonsense, so any other failure means it.
    throw new UsageError('the passphrase does not open the private key', { cause });
  }
}
