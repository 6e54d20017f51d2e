import template from '../../templates/manifests/secret.yaml';
import { secretName } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import { UsageError } from '../errors.ts';
import { caBundleOf } from '../pki/anchors.ts';
import type { Issued } from '../pki/types.ts';
import { metadataEdits } from './labels.ts';
import { fillTemplate } from './template.ts';
import type { KubeObject, Manifest } from './types.ts';

/** Base64, encoded once, for `data` of a Secret and for `caBundle`. */
export const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** The text of an entry of a Secret; empty where it is missing. */
export function secretEntry({ data }: KubeObject, name: string): string {
  const { [name]: value = '' } = (data ?? {}) as Readonly<Record<string, string>>;
  return Buffer.from(value, 'base64').toString('utf8');
}

/** The name of its manifest file. */
export const secretFileName = '040-secret.yaml';

/**
 * The Secret with the serving certificate. Only here the private key is revealed.
 * @throws UsageError when the private key is absent
 */
export function secretManifest(registration: Registration, { anchors, chain, key }: Issued): Manifest {
  const name = secretName(registration);
  if (!key) {
    throw new UsageError(`cannot create Secret ${name}: the private key of the serving certificate is missing`, {
      fix: 'Remove --secrets include, or restore certs/tls.key.',
    });
  }
  return fillTemplate(template, secretFileName, {
    ...metadataEdits(registration, name),
    'metadata.namespace': registration.metadata.namespace,
    // Server-side apply cannot tell that `stringData` is unchanged, so this uses `data`.
    data: { 'ca.crt': base64(caBundleOf({ anchors })), 'tls.crt': base64(chain), 'tls.key': base64(key.reveal()) },
  });
}
