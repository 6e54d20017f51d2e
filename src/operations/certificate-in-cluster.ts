import { X509Certificate } from 'node:crypto';
import type { Cluster } from '../cluster/cluster.ts';
import { getObject } from '../cluster/objects.ts';
import { servingNames } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import { projectAnnotation, projectOf } from '../manifests/labels.ts';
import { secretEntry } from '../manifests/secret.ts';
import type { KubeObject } from '../manifests/types.ts';
import { distinct } from '../pki/anchors.ts';
import { certificateFaultText } from '../pki/certificate-faults.ts';
import { inspect } from '../pki/inspect.ts';
import { readPrivateKey } from '../pki/keys.ts';
import type { CertificateInfo, Issued, ServingNames } from '../pki/types.ts';
import { servingFaults } from '../project/certificates.ts';
import { trustedBy } from '../snapshot/ca-bundle.ts';
import { viewApiService } from '../snapshot/views.ts';
import { readListedApiServices, secretRef } from './rotation/live.ts';

export interface WantedCertificate {
  readonly registration: Registration;
  /** The CA certificates of the project; empty where it has none. */
  readonly roots: readonly CertificateInfo[];
  /** The file of the roots, for messages. */
  readonly rootsFile: string;
  readonly now: Date;
  /** The names that it must have, by default all of the project. */
  readonly names?: ServingNames;
}

export type CertificateInCluster =
  /** Without the key, which stays in the cluster. */
  | { readonly fits: true; readonly issued: Issued }
  /** Why the Secret cannot be used, one line each. */
  | {
      readonly fits: false;
      readonly reasons: readonly string[];
      /** The serving certificate in the Secret, with its key, if it has one. */
      readonly leaf?: CertificateInfo;
    };

export type Unfit = Extract<CertificateInCluster, { readonly fits: false }>;

/**
 * Checks whether the Secret in the cluster fits a project whose private key is elsewhere: its
 * certificate has the names of the project, is valid now, and is signed by the CA of the project,
 * or by the CA in the cluster where the project has no CA certificate.
 * @throws ClusterError when the user may not read the Secret or the APIServices
 */
export async function certificateInCluster(
  cluster: Cluster,
  { registration, roots, rootsFile, now, names: needed = servingNames(registration) }: WantedCertificate,
  signal: AbortSignal,
): Promise<CertificateInCluster> {
  const { namespace } = registration.metadata;
  const ref = secretRef({ registration });
  const name = `Secret ${namespace}/${ref.name}`;
  const unfit = (...reasons: string[]): Unfit => ({ fits: false, reasons });
  const secret = await getObject(cluster, ref, signal);
  if (!secret) return unfit(`${name} not found`);
  const project = secret.metadata.annotations?.[projectAnnotation] ?? projectOf(registration);
  if (project !== projectOf(registration)) return unfit(`${name} belongs to another project: ${project}`);
  const presented = inspect(secretEntry(secret, 'tls.crt')).certificates;
  const [leaf] = presented;
  if (!leaf) return unfit(`${name} has no certificate in tls.crt`);
  if (!isKeyOf(leaf, secretEntry(secret, 'tls.key'))) return unfit(`tls.key in ${name} is not the private key of tls.crt`);
  const trusted = roots.length > 0 ? { roots, place: rootsFile } : await rootsInCluster(cluster, { registration, secret }, signal);
  const { roots: anchors, place: caCertificate } = trusted;
  if (anchors.length === 0) return unfit(`${rootsFile} not found, and no APIService of the project has a caBundle`);
  const names = { caCertificate, caKey: '', certificate: name, key: name };
  const faults = servingFaults(presented, anchors, needed, now);
  if (faults.length > 0) return { ...unfit(...faults.map((fault) => certificateFaultText(fault, names))), leaf };
  const chain = presented.map(({ pem }) => pem).join('');
  return { fits: true, issued: { chain, anchors: anchors.map(({ pem }) => ({ pem, role: 'current' })) } };
}

/** Whether a certificate was issued later than the one of a project. */
export function isNewer({ chain }: Issued, own: CertificateInfo): boolean {
  const [leaf] = inspect(chain).certificates;
  return leaf !== undefined && leaf.fingerprint !== own.fingerprint && Date.parse(leaf.notBefore) > Date.parse(own.notBefore);
}

/** Whether a private key in PEM belongs to a certificate. */
export function isKeyOf(leaf: CertificateInfo, pem: string): boolean {
  const { key } = readPrivateKey(pem);
  return key !== undefined && new X509Certificate(leaf.pem).checkPrivateKey(key);
}

/** The CAs of a registration, and where they are, for messages. */
export interface TrustedRoots {
  readonly roots: readonly CertificateInfo[];
  readonly place: string;
}

/**
 * All CAs that the APIServices of the project trust. Where none is left, those that `register` or
 * `rotate` wrote to the Secret of the project.
 */
export async function rootsInCluster(
  cluster: Cluster,
  { registration, secret }: { readonly registration: Registration; readonly secret: KubeObject },
  signal: AbortSignal,
): Promise<TrustedRoots> {
  const registered = await registeredRoots(cluster, registration, signal);
  // The Secret is of this project only if it says so.
  const isOwn = secret.metadata.annotations?.[projectAnnotation] === projectOf(registration);
  if (registered.length > 0 || !isOwn) return { roots: registered, place: 'the caBundle of the APIService' };
  const { namespace, name } = secretRef({ registration });
  return { roots: inspect(secretEntry(secret, 'ca.crt')).certificates, place: `ca.crt in Secret ${namespace}/${name}` };
}

/** All CAs that the APIServices of the project trust for its Service, so that none is dropped. */
export async function registeredRoots(
  cluster: Cluster,
  registration: Registration,
  signal: AbortSignal,
): Promise<readonly CertificateInfo[]> {
  const found = await readListedApiServices({ cluster, registration, signal });
  return distinct(found.map(viewApiService).flatMap(trustedBy));
}
