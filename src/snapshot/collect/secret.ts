import { createPrivateKey, X509Certificate } from 'node:crypto';
import { getObject } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { inspect } from '../../pki/inspect.ts';
import { type CertificateSource, certificateSource } from '../server-view.ts';
import type { Observed, SecretView } from '../types.ts';
import { textOf, textsOf } from '../views.ts';
import { type Looking, see, skipped } from './looking.ts';

// biome-ignore lint/suspicious/noExplicitAny: JSON of a Kubernetes object; every field read below is checked or defaulted.
type Json = any;

/** The pods behind a Service. */
export interface Behind {
  /** The one to look at. */
  readonly chosen: KubeObject;
  readonly pods: readonly KubeObject[];
  /** Name or number of the container port that the Service leads to; undefined where no port of it is the right one. */
  readonly targetPort: string | undefined;
}

/** Looks at the Secret that a pod is given as its serving certificate. Its key is compared with the certificate, and not kept. @throws the signal's reason */
export async function lookAtSecret(looking: Looking, { chosen, pods, targetPort }: Behind): Promise<Observed<SecretView>> {
  const { cluster, signal } = looking;
  const sourceOf = (pod: KubeObject) => certificateSource(pod, targetPort);
  const source = sourceOf(chosen);
  if (!source) return skipped('the arguments of the server name no certificate file out of a Secret');
  const ref = { resource: resources.Secret, namespace: chosen.metadata.namespace, name: source.secret };
  return see(
    looking,
    () => getObject(cluster, ref, signal),
    (secret) => ({
      ...viewSecret(secret, source),
      pods: pods.filter((pod) => isSame(source, sourceOf(pod))).map(({ metadata }) => metadata.name),
    }),
  );
}

/** @param secret a Secret. @returns its certificate, and of all else no more than names */
export function viewSecret({ metadata, type, data }: KubeObject & Json, source: CertificateSource): Omit<SecretView, 'pods'> {
  const entries = textsOf(data);
  const { certificateEntry, keyEntry } = source;
  const { certificates } = inspect(Buffer.from(entries[certificateEntry] ?? '', 'base64'));
  return {
    name: metadata.name,
    type: textOf(type),
    entries: { certificate: certificateEntry, ...(keyEntry === undefined ? {} : { key: keyEntry }) },
    certificates,
    keyMatches: keyMatches(certificates[0]?.pem, keyEntry === undefined ? undefined : entries[keyEntry]),
    otherKeys: Object.keys(entries).filter((entry) => entry !== certificateEntry && entry !== keyEntry),
  };
}

/** Whether two pods read their certificate from the same place. */
const isSame = (one: CertificateSource, other: CertificateSource | undefined): boolean =>
  one.secret === other?.secret && one.certificateEntry === other.certificateEntry;

/** Node's words for what is wrong with a key may quote it, so they are dropped. */
function keyMatches(certificate: string | undefined, key: string | undefined): boolean | undefined {
  if (certificate === undefined || key === undefined) return undefined;
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(Buffer.from(key, 'base64')));
  } catch {
    return undefined;
  }
}
