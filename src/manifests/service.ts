import { isIPv6 } from 'node:net';
import endpointSliceTemplate from '../../templates/manifests/endpoint-slice.yaml';
import serviceTemplate from '../../templates/manifests/service.yaml';
import type { Registration } from '../config/schema.ts';
import { serviceAnnotations } from './issuer-fields.ts';
import { metadataEdits, objectLabels, podSelector, sharedLabels } from './labels.ts';
import { fillTemplate } from './template.ts';
import type { Manifest } from './types.ts';

const portFields = ({ portName, appProtocol }: Registration['spec']['service']) => ({
  ...(portName === undefined ? {} : { name: portName }),
  ...(appProtocol === undefined ? {} : { appProtocol }),
});

/**
 * The Service of the APIService. For a server outside the cluster it has no selector;
 * `endpointSliceManifests` adds its endpoints.
 */
export function serviceManifest(registration: Registration): Manifest {
  const { service, server } = registration.spec;
  const { external, existing } = server;
  const targetPort = external?.port ?? existing?.port ?? 'https';
  const onlyIPv6 = external?.addresses.every((address) => isIPv6(address));
  return fillTemplate(serviceTemplate, '050-service.yaml', {
    ...metadataEdits(registration, service.name, {
      labels: sharedLabels(registration),
      annotations: { ...service.annotations, ...serviceAnnotations(registration) },
    }),
    'metadata.namespace': registration.metadata.namespace,
    'spec.ipFamilyPolicy': service.ipFamilyPolicy,
    // A dual-stack cluster would assign an IPv4 cluster IP, which has no endpoints.
    'spec.ipFamilies': onlyIPv6 ? ['IPv6'] : undefined,
    'spec.selector': external ? undefined : (existing?.selector ?? podSelector(registration)),
    'spec.ports': [{ ...portFields(service), port: service.port, targetPort }, ...service.extraPorts],
  });
}

/**
 * The addresses of a server outside the cluster: one EndpointSlice for each address family, as
 * discovery.k8s.io/v1 requires.
 */
export function endpointSliceManifests(registration: Registration): Manifest[] {
  const { service, server } = registration.spec;
  const { addresses, port } = server.external ?? { addresses: [], port: 0 };
  const families = [
    { addressType: 'IPv4', own: addresses.filter((address) => !isIPv6(address)) },
    { addressType: 'IPv6', own: addresses.filter((address) => isIPv6(address)) },
  ];
  return families
    .filter(({ own }) => own.length > 0)
    .map(({ addressType, own }) => {
      const family = addressType.toLowerCase();
      return fillTemplate(endpointSliceTemplate, `051-endpoint-slice-${family}.yaml`, {
        ...metadataEdits(registration, `${service.name}-${family}`, {
          labels: objectLabels(registration, {
            'kubernetes.io/service-name': service.name,
            'endpointslice.kubernetes.io/managed-by': 'apisvc',
          }),
        }),
        'metadata.namespace': registration.metadata.namespace,
        addressType,
        // One endpoint for each address, because only the first address of an endpoint is used.
        endpoints: own.map((address) => ({ addresses: [address], conditions: { ready: true } })),
        // kube-apiserver fills in name and protocol (pkg/apis/discovery/v1/defaults.go), and
        // `kubectl apply` would replace the list on every run.
        ports: [{ name: '', ...portFields(service), port, protocol: 'TCP' }],
      });
    });
}
