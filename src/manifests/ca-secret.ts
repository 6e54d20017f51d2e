import template from '../../templates/manifests/ca-secret.yaml';
import type { Registration } from '../config/schema.ts';
import type { PrivateKey } from '../pki/private-key.ts';
import { metadataEdits } from './labels.ts';
import { base64 } from './secret.ts';
import { fillTemplate } from './template.ts';
import type { Manifest } from './types.ts';

/** A CA and its private key. */
export interface CaPair {
  /** PEM of the certificates that belong to the key. */
  readonly certificate: string;
  readonly key: PrivateKey;
}

/** The entries of the Secret that have the CA in use, and the CA of a rotation. */
export const caEntries = {
  current: { certificate: 'tls.crt', key: 'tls.key' },
  next: { certificate: 'next.crt', key: 'next.key' },
} as const;

/** The value of an entry without a CA. A Secret of type kubernetes.io/tls must have the entries. */
const none = '';

/** The `data` of one CA; without one, its entries are empty. */
export const caData = (which: keyof typeof caEntries, pair: CaPair | undefined): Readonly<Record<string, string>> => ({
  [caEntries[which].certificate]: pair ? base64(pair.certificate) : none,
  [caEntries[which].key]: pair ? base64(pair.key.reveal()) : none,
});

/**
 * The Secret with the CA. `render` never prints it, and nothing mounts it.
 * @param name the result of `caSecretName`
 */
export const caSecretManifest = (registration: Registration, name: string, data: Readonly<Record<string, string>>): Manifest =>
  fillTemplate(template, '041-ca-secret.yaml', {
    ...metadataEdits(registration, name),
    'metadata.namespace': registration.metadata.namespace,
    data,
  });
