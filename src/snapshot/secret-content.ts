import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { certManagerAnnotations } from '../manifests/cert-manager-annotations.ts';
import type { KubeObject } from '../manifests/types.ts';
import { publicKeyOf } from '../pki/chains.ts';
import { inspect } from '../pki/inspect.ts';
import type { CertificateInfo } from '../pki/types.ts';
import type { CertificateSource } from './server-view.ts';
import type { SecretView } from './types.ts';
import { type Json, textOf, textsOf } from './views.ts';

/** What a Secret holds, without its private keys. */
export interface SecretContent {
  readonly name: string;
  readonly type: string;
  readonly entries: readonly SecretEntry[];
  /** The Certificate of cert-manager that it belongs to. */
  readonly certificateName: string | undefined;
}

interface SecretEntry {
  readonly name: string;
  readonly certificates: readonly CertificateInfo[];
  /** The public part of its private key. Undefined where it holds no readable key. */
  readonly publicKey: KeyObject | undefined;
}

/** @param secret a Secret of a cluster, or of a file, whose stringData counts too */
export function readSecret({ metadata, type, data, stringData }: KubeObject & Json): SecretContent {
  const texts = [
    ...Object.entries(textsOf(data)).map(([name, value]) => [name, Buffer.from(value, 'base64')] as const),
    ...Object.entries(textsOf(stringData)).map(([name, value]) => [name, Buffer.from(value)] as const),
  ];
  return {
    name: metadata.name,
    certificateName: textsOf(metadata.annotations)[certManagerAnnotations.certificateName],
    type: textOf(type) || 'Opaque',
    entries: [...new Map(texts)].map(([name, bytes]) => ({
      name,
      certificates: inspect(bytes).certificates,
      publicKey: publicPartOf(bytes),
    })),
  };
}

/** @returns the certificate in a Secret, and only the names of its other entries */
export function viewSecret({ name, type, entries, certificateName }: SecretContent, source: CertificateSource): Omit<SecretView, 'pods'> {
  const { certificateEntry, keyEntry } = source;
  const certificates = entries.find((entry) => entry.name === certificateEntry)?.certificates ?? [];
  const publicKey = entries.find((entry) => entry.name === keyEntry)?.publicKey;
  const [leaf] = certificates;
  return {
    name,
    type,
    entries: { certificate: certificateEntry, ...(keyEntry === undefined ? {} : { key: keyEntry }) },
    certificates,
    keyMatches: leaf && publicKey ? publicKeyOf(leaf).equals(publicKey) : undefined,
    otherKeys: entries.map((entry) => entry.name).filter((entry) => entry !== certificateEntry && entry !== keyEntry),
    ...(certificateName === undefined ? {} : { certificateName }),
  };
}

/** Errors are dropped: the message of Node may quote the key. */
function publicPartOf(bytes: Buffer): KeyObject | undefined {
  if (!bytes.includes('PRIVATE KEY')) return undefined;
  try {
    return createPublicKey(createPrivateKey(bytes));
  } catch {
    return undefined;
  }
}
