import type { ServingNames } from '../pki/types.ts';
import type { Api, Registration } from './schema.ts';

/** The name that kube-apiserver demands of an APIService (k8s.io/kube-aggregator/pkg/apis/apiregistration/validation). */
export const apiServiceName = ({ group, version }: Pick<Api, 'group' | 'version'>): string => `${version}.${group}`;

/** What such a name looks like; that of the core group ends in a dot. */
export const apiServiceNamePattern = /^[a-z][-a-z0-9]*\.[-a-z0-9.]*$/;

/** What such a name says; the group is empty for the core group (k8s.io/kube-aggregator/pkg/apis/apiregistration/v1/helper, APIServiceNameToGroupVersion). */
export function groupVersionOf(name: string): Pick<Api, 'group' | 'version'> {
  const dot = name.indexOf('.');
  return { version: name.slice(0, dot), group: name.slice(dot + 1) };
}

/** Names of the APIServices of a registration, in the order of apisvc.yaml. */
export const apiServiceNames = (registration: Registration): string[] => registration.spec.apis.map(apiServiceName);

/** The name that kube-apiserver asks a Service's certificate for, whatever the type of the Service (k8s.io/kube-aggregator/pkg/apiserver/handler_proxy.go). */
export const serverNameOf = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
  `${name}.${namespace}.svc`;

/** The names that the serving certificate must carry: the one that kube-apiserver asks for first, then those for other clients in the cluster. */
export function servingNames({ metadata, spec }: Registration): ServingNames {
  const { name } = spec.service;
  const { namespace } = metadata;
  const { clusterDomain, dnsNames, ipAddresses } = spec.certificates;
  const host = serverNameOf({ namespace, name });
  const own = [host, name, `${name}.${namespace}`, `${host}.${clusterDomain}`];
  return { dns: [...new Set([...own, ...dnsNames])], ip: [...new Set(ipAddresses)] };
}

/** Name of the Secret that holds the serving certificate. */
export const secretName = ({ spec }: Registration): string => spec.certificates.secretName ?? `${spec.service.name}-tls`;
