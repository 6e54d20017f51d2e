import type { ServingNames } from '../pki/types.ts';
import type { Api, Registration } from './schema.ts';

/**
 * The name that an APIService must have
 * (k8s.io/kube-aggregator/pkg/apis/apiregistration/validation).
 */
export const apiServiceName = ({ group, version }: Pick<Api, 'group' | 'version'>): string => `${version}.${group}`;

/** Matches such a name. That of the core group ends in a dot. */
export const apiServiceNamePattern = /^[a-z][-a-z0-9]*\.[-a-z0-9.]*$/;

/**
 * The group and version in such a name; the group is empty for the core group
 * (k8s.io/kube-aggregator/pkg/apis/apiregistration/v1/helper, APIServiceNameToGroupVersion).
 */
export function groupVersionOf(name: string): Pick<Api, 'group' | 'version'> {
  const dot = name.indexOf('.');
  return { version: name.slice(0, dot), group: name.slice(dot + 1) };
}

/** The names of the APIServices of a registration, in the order of apisvc.yaml. */
export const apiServiceNames = (registration: Registration): string[] => registration.spec.apis.map(apiServiceName);

/**
 * The server name for which kube-apiserver verifies the certificate of a Service of any type
 * (k8s.io/kube-aggregator/pkg/apiserver/handler_proxy.go).
 */
export const serverNameOf = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
  `${name}.${namespace}.svc`;

/**
 * The names of the serving certificate: first the one that kube-apiserver verifies, then those for
 * other clients in the cluster.
 */
export function servingNames({ metadata, spec }: Registration): ServingNames {
  const { name } = spec.service;
  const { namespace } = metadata;
  const { clusterDomain, dnsNames, ipAddresses } = spec.certificates;
  const host = serverNameOf({ namespace, name });
  const own = [host, name, `${name}.${namespace}`, `${host}.${clusterDomain}`];
  return { dns: [...new Set([...own, ...dnsNames])], ip: [...new Set(ipAddresses)] };
}

/** The name of the Secret with the CA and its private key; undefined where a file has the key. */
export function caSecretName({ spec }: Registration): string | undefined {
  const { issuer } = spec.certificates;
  if (issuer.type !== 'self-signed' || issuer.caKey === 'file') return undefined;
  return issuer.caSecretName ?? `${spec.service.name}-ca`;
}

/** The name of the Secret with the serving certificate. */
export const secretName = ({ spec }: Registration): string => spec.certificates.secretName ?? `${spec.service.name}-tls`;
