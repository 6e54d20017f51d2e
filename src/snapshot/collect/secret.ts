import { createPrivateKey, X509Certificate } from 'node:crypto';
import { getObject } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { inspect } from '../../pki/inspect.ts';
import { skipped } from '../observed.ts';
import { type CertificateSource, certificateSource } from '../server-view.ts';
import type { Observed, SecretView } from '../types.ts';
import { type Json, textOf, textsOf } from '../views.ts';
import type { CollectContext } from './context.ts';
import { observe } from './observe.ts';

/** The pods behind a Service. */
export interface PodsBehind {
  /** The pod whose flags and mounts are read. */
  readonly chosen: KubeObject;
  readonly pods: readonly KubeObject[];
  /**
   * Name or number of the container port behind the port of the Service. Undefined where the
   * Service lacks the port.
   */
  readonly targetPort: string | undefined;
}

/**
 * Reads the Secret with the serving certificate of a pod. Its key is compared with the certificate,
 * and not kept.
 * @throws the reason of the signal
 */
export async function collectSecret(context: CollectContext, { chosen, pods, targetPort }: PodsBehind): Promise<Observed<SecretView>> {
  const { cluster, signal } = context;
  const sourceOf = (pod: KubeObject) => certificateSource(pod, targetPort);
  const source = sourceOf(chosen);
  if (!source) return skipped('no flag of the server names a certificate file in a mounted Secret');
  const ref = { resource: resources.Secret, namespace: chosen.metadata.namespace, name: source.secret };
  return observe(
    context,
    () => getObject(cluster, ref, signal),
    (secret) => ({
      ...viewSecret(secret, source),
      pods: pods.filter((pod) => isSame(source, sourceOf(pod))).map(({ metadata }) => metadata.name),
    }),
  );
}

/** @param secret a Secret. @returns its certificate, and only the names of its other entries */
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

/** Errors are dropped: the message of Node may quote the key. */
function keyMatches(certificate: string | undefined, key: string | undefined): boolean | undefined {
  if (certificate === undefined || key === undefined) return undefined;
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(Buffer.from(key, 'base64')));
  } catch {
    return undefined;
  }
}
