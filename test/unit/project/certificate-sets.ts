import { anchorsIn } from '../../../src/pki/anchors.ts';
import { createAuthority } from '../../../src/pki/authority.ts';
import { issueServing } from '../../../src/pki/leaf.ts';
import type { CertificatesToWrite } from '../../../src/project/project.ts';
import { day, now } from '../pki/certificates.ts';
import { authority, leaf, names } from './sample.ts';

/** The certificates of a project, and others that replace them. */

export const otherCa = await createAuthority({ commonName: 'CA 2', keyType: 'ecdsa-p256', lifetimeMs: 100 * day, now });
export const otherLeaf = await issueServing({ authority: otherCa, names, keyType: 'ecdsa-p256', lifetimeMs: 10 * day, now });
export const renewed = await issueServing({ authority, names, keyType: 'ecdsa-p256', lifetimeMs: 10 * day, now });

export const setOf = (ca: typeof authority, { certificates, key }: typeof leaf, keepCaKey = true): CertificatesToWrite => ({
  issued: { chain: certificates, key, anchors: anchorsIn(ca.certificates, 'current') },
  ...(keepCaKey ? { caKey: ca.key } : {}),
});
export const old = setOf(authority, leaf);
export const newLeaf = setOf(authority, renewed);
export const newCa = setOf(otherCa, otherLeaf);
/** As an issuer that keeps no CA key makes it. */
export const newLeafOnly = setOf(authority, renewed, false);
