import {
  caConstraints,
  endEntityConstraints,
  extendedKeyUsage,
  keyUsage,
  subjectAltName,
  type Usage,
} from '../../../src/pki/extensions.ts';
import { day, type Made, make, type Recipe } from '../../unit/pki/certificates.ts';
import type { ServingPair } from './backends.ts';

/** Certificates that apisvc itself would not make, valid now, and for longer than their end is warned of, unless another time is asked for. */
const current = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + 90 * day) };

/** The dates of a certificate that expired yesterday. */
export const bygone = { notBefore: new Date(Date.now() - 2 * day), notAfter: new Date(Date.now() - day) };

/** The certificates as PEM, one after the other. */
export const pem = (...chain: Made[]): string => chain.map(({ info }) => info.pem).join('');

/** What a server is given: its certificate, those above it that it shall send, and its key. */
export const pair = (leaf: Made, ...intermediates: Made[]): ServingPair => ({
  certificates: pem(leaf, ...intermediates),
  key: leaf.keyPair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
});

/** A CA below which one more may follow. */
export const makeCa = (commonName: string, more: Partial<Recipe> = {}): Promise<Made> =>
  make({ commonName, extensions: [caConstraints(1), keyUsage('keyCertSign')], ...current, ...more });

export interface LeafChange {
  readonly usage?: Usage;
  readonly when?: Pick<Recipe, 'notBefore' | 'notAfter'>;
}

/** A serving certificate for one DNS name. */
export function makeLeaf(host: string, issuer: Made, { usage = 'serverAuth', when = current }: LeafChange = {}): Promise<Made> {
  const names = subjectAltName({ dns: [host], ip: [] }, false);
  return make({ commonName: 'server', issuer, extensions: [endEntityConstraints(), extendedKeyUsage([usage]), names], ...when });
}
