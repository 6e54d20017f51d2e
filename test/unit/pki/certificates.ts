import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type ExistingAuthority, loadAuthority } from '../../../src/pki/authority.ts';
import type { Node } from '../../../src/pki/der.ts';
import { authorityKeyIdentifier, caConstraints, keyIdentifier, keyUsage, subjectKeyIdentifier } from '../../../src/pki/extensions.ts';
import { certificateInfo } from '../../../src/pki/inspect.ts';
import { generateKeyPair, type KeyPair, readPrivateKey, toPrivateKey } from '../../../src/pki/keys.ts';
import type { Authority, CertificateInfo } from '../../../src/pki/types.ts';
import { distinguishedName, signCertificate } from '../../../src/pki/x509.ts';

export const now = new Date('2026-06-15T12:00:00Z');
export const day = 86_400_000;
export const inDays = (days: number): Date => new Date(now.getTime() + days * day);

/** A file that another tool made; see test/fixtures/pki/README.md. */
export const fixture = (name: string): string => readFileSync(new URL(`../../fixtures/pki/${name}`, import.meta.url), 'utf8');

/** A certificate that a test made, sound or not, with what it takes to issue others below it. */
export interface Made {
  readonly info: CertificateInfo;
  readonly subject: Node;
  readonly keyPair: KeyPair;
}

export interface Recipe {
  readonly commonName: string;
  readonly issuer?: Made;
  readonly extensions?: readonly Node[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly keyPair?: KeyPair;
}

/**
 * Makes a certificate without any of the checks of `issue`, self-signed when there is no issuer.
 */
export async function make({ commonName, issuer, extensions = [], notBefore, notAfter, keyPair }: Recipe): Promise<Made> {
  const pair = keyPair ?? (await generateKeyPair('ecdsa-p256'));
  const subject = distinguishedName({ commonName });
  const der = signCertificate(
    {
      subject,
      issuer: issuer?.subject ?? subject,
      publicKey: pair.publicKey,
      notBefore: notBefore ?? inDays(-1),
      notAfter: notAfter ?? inDays(365),
      extensions: [
        subjectKeyIdentifier(keyIdentifier(pair.publicKey)),
        authorityKeyIdentifier(keyIdentifier((issuer?.keyPair ?? pair).publicKey)),
        ...extensions,
      ],
    },
    (issuer?.keyPair ?? pair).privateKey,
  );
  return { info: certificateInfo(der), subject, keyPair: pair };
}

/** A CA under which two more CAs may follow, unless other extensions are asked for. */
export const makeCa = (recipe: Recipe): Promise<Made> =>
  make({ extensions: [caConstraints(2), keyUsage('keyCertSign', 'cRLSign')], ...recipe });

export const keyOf = (authority: Pick<Authority, 'key'>): KeyObject => createPrivateKey(authority.key.reveal());

/** The CA that `loadAuthority` gives. */
export function loaded(files: ExistingAuthority): Authority {
  const { authority, faults } = loadAuthority(files);
  if (!authority) throw new Error(`the CA has faults: ${JSON.stringify(faults)}`);
  return authority;
}

/** A CA that a test made, with the CAs above it. */
export const asAuthority = (made: Made, ...above: Made[]): Authority =>
  loaded({
    certificates: [made, ...above].map(({ info }) => info.pem).join(''),
    key: toPrivateKey(made.keyPair.privateKey).reveal(),
    now,
  });

/** The private key that a text holds. */
export function keyIn(text: string, passphrase?: string): KeyObject {
  const { key, fault } = readPrivateKey(text, passphrase === undefined ? {} : { passphrase });
  if (!key) throw new Error(`the key has a fault: ${JSON.stringify(fault)}`);
  return key;
}
