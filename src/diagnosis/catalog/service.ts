import type { CatalogEntry } from './entry.ts';

/** The Service of the APIService. */
export const serviceEntries = {
  'service/namespace-terminating': {
    severity: 'error',
    hop: 'service',
    title: 'Namespace {namespace} of the extension API server is being deleted',
    cause:
      'The namespace was deleted with everything in it, but APIService {name} still exists. Kubernetes cannot finish the deletion of any namespace while an APIService is not available.',
    fix: 'Delete the APIService, so that Kubernetes can finish the deletion of the namespace: `kubectl delete apiservice {name}`. If the API is still needed, wait until the namespace is deleted: `kubectl wait --for=delete namespace/{namespace} --timeout=5m`. Then install the extension API server again, and register its API.',
  },
  'service/deleting': {
    severity: 'error',
    hop: 'service',
    title: 'Service {namespace}/{service} is being deleted',
    cause:
      'The Service was deleted, but it still has finalizers. When their controllers have removed all finalizers, the Service no longer exists, and the API stops working.',
    fix: 'If the API is no longer needed, delete its APIService: `kubectl delete apiservice {name}`. Otherwise, wait until the Service is deleted: `kubectl -n {namespace} wait --for=delete service/{service} --timeout=5m`. Then create the Service again.',
    explainedBy: ['service/namespace-terminating'],
  },
  'service/missing': {
    severity: 'error',
    hop: 'service',
    title: 'Service {namespace}/{service} does not exist',
    cause: 'spec.service of the APIService names a Service that does not exist.',
    fix: 'List the Services in the namespace: `kubectl -n {namespace} get services`. Then correct spec.service of the APIService, or create the Service. If the extension API server was uninstalled, delete the APIService: `kubectl delete apiservice {name}`',
    explainedBy: ['service/namespace-terminating', 'registration/service-incomplete'],
  },
  'service/not-in-files': {
    severity: 'warning',
    hop: 'service',
    title: 'The files contain Service {near}, but not Service {namespace}/{service}',
    cause: 'spec.service of the APIService must match the name and the namespace of the Service.',
    fix: 'Set spec.service of the APIService to {near}, or change the namespace and the name of the Service to {namespace}/{service}.',
    explainedBy: ['registration/service-incomplete'],
  },
  'service/selects-no-pod': {
    severity: 'error',
    hop: 'service',
    title: 'Service {namespace}/{service} selects no pod in the files',
    cause:
      'The selector of a Service must match the labels of the pod template. Otherwise, the Service has no endpoints. The finding is only a warning if the workload of the extension API server may be in files that were not checked.',
    fix: 'Set spec.selector of Service {namespace}/{service} to labels of the pod template, or add the labels of the selector to the pod template.',
  },
  'service/port-missing': {
    severity: 'error',
    hop: 'service',
    title: 'Service {namespace}/{service} has no port {port}',
    cause: 'spec.service.port of the APIService must be one of the ports of the Service, not a targetPort.',
    fix: 'Set spec.service.port of the APIService to a port of the Service: `kubectl patch apiservice {name} --type=merge -p \'{"spec":{"service":{"port":{servicePort}}}}\'`',
    fileFix: 'Set spec.service.port to {servicePort} in {file}:{line}, or add port {port} to the Service.',
    explainedBy: ['registration/service-incomplete'],
  },
  'service/not-tcp': {
    severity: 'error',
    hop: 'service',
    title: 'Port {port} of Service {namespace}/{service} has protocol {protocol}, but kube-apiserver connects with TCP',
    cause: 'A Service port forwards only packets of its protocol. The default protocol is TCP.',
    fix: 'Set the protocol of the port to TCP: `kubectl -n {namespace} patch service {service} --type=json -p \'[{"op":"replace","path":"/spec/ports/{index}/protocol","value":"TCP"}]\'`',
    fileFix: 'Set spec.ports[{index}].protocol of the Service to TCP in {file}:{line}.',
    explainedBy: ['registration/service-incomplete'],
  },
  'service/target-port-unknown': {
    severity: 'error',
    hop: 'service',
    title: 'No container behind Service {namespace}/{service} has a port named "{targetPort}"',
    cause:
      'The targetPort of the Service is a port name. If no container of a pod has a port with this name, the endpoint of the pod has no port.',
    fix: 'Name the container port {targetPort}, or set the targetPort of Service {namespace}/{service} to the number of the container port.',
  },
  'service/wrong-target-port': {
    severity: 'error',
    hop: 'service',
    title: 'Service {namespace}/{service} has targetPort {targetPort}, but the extension API server listens on port {listening}',
    cause: 'The targetPort of the Service differs from the port in the flags of the extension API server.',
    fix: 'Set the targetPort of the Service to the port of the extension API server: `kubectl -n {namespace} patch service {service} --type=json -p \'[{"op":"replace","path":"/spec/ports/{index}/targetPort","value":{listening}}]\'`',
    fileFix: 'Set spec.ports[{index}].targetPort to {listening} in {file}:{line}.',
  },
  'service/other-port': {
    severity: 'error',
    hop: 'service',
    title:
      'Port {port} of Service {namespace}/{service} has targetPort {targetPort}, but the extension API server listens on port {listening}',
    cause: 'The Service has several ports, and spec.service.port of the APIService is the wrong port.',
    fix: 'Set spec.service.port of the APIService to the correct port of the Service: `kubectl patch apiservice {name} --type=merge -p \'{"spec":{"service":{"port":{servicePort}}}}\'`',
    fileFix: 'Set spec.service.port to {servicePort} in {file}:{line}.',
  },
  'service/headless': {
    severity: 'error',
    hop: 'service',
    title: 'Service {namespace}/{service} is headless, but kube-apiserver needs a cluster IP',
    cause:
      'Without --enable-aggregator-routing, kube-apiserver connects to the cluster IP of the Service. A headless Service has no cluster IP.',
    fix: 'Delete Service {namespace}/{service} and create it again without clusterIP: None, or start kube-apiserver with --enable-aggregator-routing=true.',
  },
  'service/external-name-unsupported': {
    severity: 'error',
    hop: 'service',
    title: 'Service {namespace}/{service} has type ExternalName, which this kube-apiserver does not support',
    cause:
      'With --enable-aggregator-routing, kube-apiserver connects to the endpoints of a Service. A Service of type ExternalName has no endpoints.',
    fix: 'Use a Service without a selector and an EndpointSlice with the address of the extension API server.',
  },
  'service/external-name-unresolved': {
    severity: 'error',
    hop: 'service',
    title: 'kube-apiserver cannot resolve {externalName}, the externalName of Service {namespace}/{service}',
    cause: 'kube-apiserver uses the DNS servers of its host, which usually cannot resolve the DNS names of the cluster.',
    fix: 'Correct spec.externalName of Service {namespace}/{service}, or use a Service without a selector and an EndpointSlice with the address of the extension API server.',
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
