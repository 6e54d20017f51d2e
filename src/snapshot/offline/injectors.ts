import { nearest } from '../../config/nearest.ts';
import { certManagerAnnotations } from '../../manifests/cert-manager-annotations.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { matchesHostname } from '../../pki/hostname.ts';
import type { ApiServiceView, RelatedView } from '../types.ts';
import { type Json, textOf } from '../views.ts';
import type { OfflineObjects } from './objects.ts';
import { isPlaceholder } from './template.ts';

/** Certificates that controllers issue, and the CAs that they inject. */

/** A Certificate of cert-manager. */
interface Certificate {
  readonly namespace: string;
  readonly name: string;
  readonly secret: string;
  readonly dnsNames: readonly string[];
  readonly isCA: boolean;
}

/**
 * The annotation of a Service for which OpenShift issues a certificate
 * (openshift/service-ca-operator).
 */
const servingSecret = /^service\.(beta|alpha)\.openshift\.io\/serving-cert-secret-name$/;

const annotationsOf = (object: KubeObject): [string, string][] =>
  Object.entries(object.metadata.annotations ?? {}).map(([key, value]) => [key, textOf(value)]);

/** @param namespace the one of a manifest without a namespace */
function viewCertificate({ metadata, spec }: KubeObject & Json, namespace: string): Certificate {
  return {
    namespace: metadata.namespace ?? namespace,
    name: metadata.name,
    secret: textOf(spec?.secretName),
    dnsNames: Array.isArray(spec?.dnsNames) ? spec.dnsNames.map(textOf) : [],
    isCA: spec?.isCA === true,
  };
}

/** The Certificates that may be in a namespace. */
export const certificatesIn = (objects: OfflineObjects, namespace: string): readonly Certificate[] =>
  objects.inNamespace('Certificate', namespace).map((object) => viewCertificate(object, namespace));

/** The Secrets of a namespace that controllers create, each with a sentence that says so. */
export function createdSecrets(objects: OfflineObjects, namespace: string): ReadonlyMap<string, string> {
  const issued = certificatesIn(objects, namespace).map(({ name, secret }) => [
    secret,
    `cert-manager creates Secret ${namespace}/${secret} (Certificate ${name})`,
  ]);
  const byOpenShift = objects
    .inNamespace('Service', namespace)
    .flatMap((service) =>
      annotationsOf(service).flatMap(([key, secret]) =>
        servingSecret.test(key) ? [[secret, `OpenShift creates Secret ${namespace}/${secret} (Service ${service.metadata.name})`]] : [],
      ),
    );
  return new Map([...byOpenShift, ...issued].map(([secret = '', words = '']) => [secret, words]));
}

export interface Injection {
  readonly objects: OfflineObjects;
  readonly api: ApiServiceView;
  readonly service: NonNullable<ApiServiceView['service']>;
  readonly host: string;
  /** The mounted Secret that a flag names. */
  readonly secret: string | undefined;
}

/** The Certificate of the annotation, and the one of the server. */
export function certificatesOf(injection: Injection): Pick<RelatedView, 'certificate' | 'missingCertificate'> {
  const { objects, api, service, secret } = injection;
  const { [certManagerAnnotations.fromCertificate]: value = '' } = api.annotations;
  const [namespace = '', name = ''] = value.split('/');
  const known = value === '' || isPlaceholder(value) ? undefined : objects.find('Certificate', namespace, name);
  const missing = value === '' || isPlaceholder(value) || known ? undefined : missingCertificate(injection, value);
  const near = missing?.near === undefined ? undefined : findNamed(objects, missing.near);
  const named = known ?? near;
  const annotated = named && viewCertificate(named, namespace);
  const serving =
    secret === undefined ? annotated : certificatesIn(objects, service.namespace).find((certificate) => certificate.secret === secret);
  const judged = serving && !serving.isCA && !serving.dnsNames.some(isUnrendered) ? serving : undefined;
  return {
    ...(judged ? { certificate: { namespace: judged.namespace, name: judged.name, dnsNames: judged.dnsNames } } : {}),
    ...(missing ? { missingCertificate: missing } : {}),
  };
}

function findNamed(objects: OfflineObjects, text: string): KubeObject | undefined {
  const [namespace = '', name = ''] = text.split('/');
  return objects.find('Certificate', namespace, name);
}

/** Kubebuilder's names that its kustomization replaces. */
const isUnrendered = (name: string): boolean => isPlaceholder(name) || /SERVICE_(NAME|NAMESPACE)/.test(name);

function missingCertificate({ objects, service, host }: Injection, value: string): NonNullable<RelatedView['missingCertificate']> {
  const [, name] = value.split('/');
  const all = objects.all('Certificate').map((object) => viewCertificate(object, service.namespace));
  const near =
    all.find((certificate) => certificate.name === (name ?? value)) ??
    all.find((certificate) => certificate.name === nearest(name ?? value, [...new Set(all.map((each) => each.name))])) ??
    all.find(({ isCA, dnsNames }) => !isCA && matchesHostname({ dnsNames, ipAddresses: [] }, host));
  return {
    value,
    ...(near ? { near: `${near.namespace}/${near.name}` } : {}),
    why: name === undefined ? 'the value must be <namespace>/<name>' : `Certificate ${value} is not in the files`,
  };
}
