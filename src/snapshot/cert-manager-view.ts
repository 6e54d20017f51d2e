import { clusterIssuerNamespace, type ObjectRef, resources } from '../cluster/resources.ts';
import { certManagerAnnotations } from '../manifests/cert-manager-annotations.ts';
import type { KubeObject } from '../manifests/types.ts';
import { trustedBy } from './ca-bundle.ts';
import { readSecret } from './secret-content.ts';
import type { ApiServiceView, CaSourceView, CertManagerCondition, CertManagerView, InjectorLeaseView } from './types.ts';
import { type Json, listOf, textOf, textsOf } from './views.ts';

/**
 * What cert-manager reads, and what it reports (github.com/cert-manager/cert-manager,
 * pkg/apis/certmanager/v1).
 */

/** The cainjector reads the first one that it finds (pkg/controller/cainjector/setup.go). */
const annotations = [certManagerAnnotations.fromSecret, certManagerAnnotations.fromCertificate] as const;

/** The annotation of an APIService by which the cainjector writes its caBundle. */
export function injectionOf({
  annotations: all,
}: Pick<ApiServiceView, 'annotations'>): Pick<CertManagerView, 'annotation' | 'value'> | undefined {
  const annotation = annotations.find((each) => Object.hasOwn(all, each));
  return annotation && { annotation, value: all[annotation] ?? '' };
}

export const conditionsOf = ({ status }: Json): readonly CertManagerCondition[] =>
  listOf(status?.conditions).map((each) => ({
    type: textOf(each.type),
    status: textOf(each.status),
    reason: textOf(each.reason),
    message: textOf(each.message),
  }));

/** Whether the condition Ready is True. */
export const isReady = (conditions: readonly CertManagerCondition[]): boolean =>
  conditions.some(({ type, status }) => type === 'Ready' && status === 'True');

/**
 * The condition of a CertificateRequest that says why it is not issued. One that is denied or
 * invalid has another condition that says more than Ready.
 */
export const refusalIn = (conditions: readonly CertManagerCondition[] = []): CertManagerCondition | undefined =>
  conditions.find(({ type, status }) => ['Denied', 'InvalidRequest'].includes(type) && status === 'True') ??
  conditions.find(({ type, status }) => type === 'Ready' && status !== 'True');

/** The newest CertificateRequest of a Certificate. Those of earlier issuances are kept. */
export const newestRequestOf = (certificate: string, requests: readonly KubeObject[]): KubeObject | undefined =>
  requests
    .filter(({ metadata }) => textsOf(metadata.annotations)[certManagerAnnotations.certificateName] === certificate)
    .toSorted((one, other) => revisionOf(other) - revisionOf(one))[0];

/** The number of the issuance that a CertificateRequest is for. */
export const revisionOf = ({ metadata }: KubeObject): number => Number(textsOf(metadata.annotations)[certManagerAnnotations.revision] ?? 0);

/** @param secret with the CA that the cainjector copies. Its private key is not kept. */
export function viewCaSource(secret: KubeObject): CaSourceView {
  const { namespace = '', name } = secret.metadata;
  const marks = textsOf(secret.metadata.annotations);
  const { entries, certificateName = '' } = readSecret(secret);
  const certificatesIn = (entry: string) => entries.find((each) => each.name === entry)?.certificates ?? [];
  return {
    namespace,
    name,
    allowsInjection: marks[certManagerAnnotations.allowInjection] === 'true',
    certificateName,
    authorities: certificatesIn('ca.crt'),
    certificates: certificatesIn('tls.crt'),
  };
}

/**
 * The Lease of the cainjector, unless its flag --leader-election-namespace names another namespace.
 */
export const injectorLease = { namespace: 'kube-system', name: 'cert-manager-cainjector-leader-election' };

export const viewInjectorLease = ({ spec }: KubeObject & Json): InjectorLeaseView => ({
  holder: textOf(spec?.holderIdentity),
  renewed: textOf(spec?.renewTime),
  durationSeconds: Number(spec?.leaseDurationSeconds ?? 0),
});

/**
 * Whether the caBundle has the certificates of the Secret. Since 1.19, the cainjector keeps the CAs
 * that it injected before (internal/cainjector/feature/features.go, CAInjectorMerging).
 */
export function isInjected(api: ApiServiceView, { authorities }: CaSourceView): boolean {
  const trusted = trustedBy(api).map(({ fingerprint }) => fingerprint);
  return authorities.length > 0 && authorities.every(({ fingerprint }) => trusted.includes(fingerprint));
}

/**
 * The Issuer or ClusterIssuer of a Certificate.
 * @param ref `spec.issuerRef`
 * @param namespace of the Certificate
 * @returns undefined for an issuer of another API group
 */
export function viewIssuerRef({ kind = 'Issuer', group = certManagerGroup, name }: Json, namespace: string): ObjectRef | undefined {
  if (group !== certManagerGroup) return undefined;
  const isCluster = kind === 'ClusterIssuer';
  const resource = isCluster ? resources.ClusterIssuer : resources.Issuer;
  return { resource, namespace: isCluster ? undefined : namespace, name: textOf(name) };
}

const certManagerGroup = 'cert-manager.io';

/** The Secret with the CA of an issuer; undefined for an issuer of another type than `ca`. */
export function caSecretOf({ namespace = clusterIssuerNamespace }: ObjectRef, { spec }: Json): ObjectRef | undefined {
  const name = textOf(spec?.ca?.secretName);
  return name === '' ? undefined : { resource: resources.Secret, namespace, name };
}
