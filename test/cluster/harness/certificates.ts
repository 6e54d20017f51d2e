import { generateKeyPair, sign, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import { bits, children, decode, encode, oid, sequence } from '../../../src/pki/der.ts';
import {
  caConstraints,
  endEntityConstraints,
  extendedKeyUsage,
  keyUsage,
  subjectAltName,
  type Usage,
} from '../../../src/pki/extensions.ts';
import { certificateInfo } from '../../../src/pki/inspect.ts';
import type { KeyPair } from '../../../src/pki/keys.ts';
import { day, type Made, make, type Recipe } from '../../unit/pki/certificates.ts';
import type { ServingPair } from './backends.ts';

/**
 * Certificates that apisvc itself does not issue. By default they are valid now, and for long
 * enough that verify does not warn about their expiry.
 */

type Dates = Pick<Recipe, 'notBefore' | 'notAfter'>;
const between = (fromDays: number, toDays: number): Dates => ({
  notBefore: new Date(Date.now() + fromDays * day),
  notAfter: new Date(Date.now() + toDays * day),
});

/** Valid from yesterday, for `days` days from now. */
export const validForDays = (days: number): Dates => between(-1, days);
const current = validForDays(90);
/** Expired yesterday. */
export const expired = between(-2, -1);
/** Valid from tomorrow on. */
export const notYetValid = between(1, 90);

/** The certificates as one PEM text. */
export const pem = (...chain: Made[]): string => chain.map(({ info }) => info.pem).join('');

/** The files of a server: its certificate with the intermediates that it sends, and its key. */
export const pair = (leaf: Made, ...intermediates: Made[]): ServingPair => ({
  certificates: pem(leaf, ...intermediates),
  key: leaf.keyPair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
});

/** A root CA that allows one intermediate CA below it (path length 1). */
export const makeCa = (commonName: string, more: Partial<Recipe> = {}): Promise<Made> =>
  make({ commonName, extensions: [caConstraints(1), keyUsage('keyCertSign')], ...current, ...more });

export interface LeafChange {
  readonly usage?: Usage;
  readonly when?: Dates;
  readonly keyPair?: KeyPair;
}

/** A serving certificate for one DNS name. */
export function makeLeaf(host: string, issuer: Made, { usage = 'serverAuth', when = current, ...more }: LeafChange = {}): Promise<Made> {
  const names = subjectAltName({ dns: [host], ip: [] }, false);
  return make({ commonName: 'server', issuer, extensions: [endEntityConstraints(), extendedKeyUsage([usage]), names], ...when, ...more });
}

/** A serving certificate with a common name and without subject alternative names. */
export const makeLeafByCommonName = (host: string, issuer: Made): Promise<Made> =>
  make({ commonName: host, issuer, extensions: [endEntityConstraints()], ...current });

/** An RSA key of any size, including sizes that are too weak. */
export const rsaKeyPair = (size: number): Promise<KeyPair> => promisify(generateKeyPair)('rsa', { modulusLength: size });

/** Re-signs a certificate with SHA-1 and the ECDSA key of its issuer (RFC 3279 2.2.3). */
export function signedWithSha1(made: Made, issuer: Made): Made {
  const algorithm = sequence(oid('1.2.840.10045.4.1'));
  const [content] = children(decode(new X509Certificate(made.info.pem).raw));
  // The fields are the version, the serial number, the algorithm, ... (RFC 5280 4.1).
  const signed = sequence(...children(content).map((field, index) => (index === 2 ? algorithm : field)));
  const signature = bits(sign('sha1', encode(signed), issuer.keyPair.privateKey));
  return { ...made, info: certificateInfo(encode(sequence(signed, algorithm, signature))) };
}
