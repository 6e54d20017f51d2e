import type { CatalogEntry } from './entry.ts';

/** The Service that the APIService points at. */
export const serviceEntries = {
  'service/missing': {
    severity: 'error',
    hop: 'service',
    title: 'Service {namespace}/{service} does not exist',
    cause: 'The APIService points at a Service that is not there.',
    fix: '`kubectl -n {namespace} get services`; then correct spec.service of the APIService, or create the Service; where nothing is left of the server, `kubectl delete apiservice {name}`',
    explainedBy: ['registration/service-incomplete'],
  },
  'service/port-missing': {
    severity: 'error',
    hop: 'service',
    title: 'Service {namespace}/{service} has no port {port}',
    cause: "kube-apiserver matches spec.service.port of the APIService with the Service's own port numbers, not with targetPort.",
    fix: '`kubectl patch apiservice {name} --type=merge -p \'{"spec":{"service":{"port":<one of the ports above>}}}\'`',
    explainedBy: ['registration/service-incomplete'],
  },
  'service/target-port-unknown': {
    severity: 'error',
    hop: 'service',
    title: 'no container behind Service {namespace}/{service} has a port named "{targetPort}"',
    cause:
      'The targetPort of a Service may be the name of a container port. Pods without a port of that name become endpoints without a port.',
    fix: 'Give the container port the name {targetPort}, or set the targetPort of Service {namespace}/{service} to its number.',
  },
  'service/wrong-target-port': {
    severity: 'error',
    hop: 'service',
    title: 'Service {namespace}/{service} leads to port {targetPort}, and the server listens on {listening}',
    cause: 'The targetPort of the Service is not the port in the flags of the server.',
    fix: '`kubectl -n {namespace} patch service {service} --type=json -p \'[{"op":"replace","path":"/spec/ports/{index}/targetPort","value":{listening}}]\'`',
  },
  'service/other-port': {
    severity: 'error',
    hop: 'service',
    title:
      'port {port} of Service {namespace}/{service} is not that of the API: it leads to {targetPort}, and the server listens on {listening}',
    cause: 'The Service has several ports, and the APIService names one that something else answers at.',
    fix: '`kubectl patch apiservice {name} --type=merge -p \'{"spec":{"service":{"port":{right}}}}\'`',
  },
  'service/headless': {
    severity: 'error',
    hop: 'service',
    title: 'Service {namespace}/{service} is headless, and kube-apiserver needs a cluster IP',
    cause: 'Without --enable-aggregator-routing kube-apiserver connects to the cluster IP of the Service; a headless Service has none.',
    fix: 'Create Service {namespace}/{service} anew without clusterIP: None, or start kube-apiserver with --enable-aggregator-routing=true.',
  },
  'service/external-name-unsupported': {
    severity: 'error',
    hop: 'service',
    title: 'Service {namespace}/{service} is an ExternalName, which this kube-apiserver does not route to',
    cause: 'With --enable-aggregator-routing kube-apiserver connects to endpoints, which an ExternalName Service does not have.',
    fix: 'Use a Service without selector and an EndpointSlice with the address of the server.',
  },
  'service/external-name-unresolved': {
    severity: 'error',
    hop: 'service',
    title: 'kube-apiserver can not resolve {externalName}, to which Service {namespace}/{service} leads',
    cause: 'kube-apiserver resolves names with the DNS of its own machine, which seldom knows the names of the cluster.',
    fix: 'Correct spec.externalName of Service {namespace}/{service}, or use a Service without selector and an EndpointSlice with the address.',
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
