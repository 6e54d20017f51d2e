import type { CatalogEntry } from './entry.ts';
import { podTroubles } from './symptoms.ts';

/** What stands behind the Service: pods, their addresses, what answers there. */
export const endpointsEntries = {
  'endpoints/pod-unschedulable': {
    severity: 'error',
    hop: 'endpoint',
    title: 'no node for {pods}',
    cause:
      'No node has what the pod asks for: CPU, memory, labels, tolerated taints, a volume; or a scheduling gate keeps it from all of them. The words are those of the scheduler.',
    fix: '`kubectl -n {namespace} describe pod {pod}`; then lower what it asks for, add a node that has it, or see to its scheduling gates',
  },
  'endpoints/image-pull': {
    severity: 'error',
    hop: 'endpoint',
    title: 'the image of {pods} can not be had (container {container})',
    cause:
      'The name or tag of the image is wrong, the registry can not be reached from the node, or it wants credentials (imagePullSecrets).',
    fix: '`kubectl -n {namespace} describe pod {pod}`; then correct the image of the container, or its imagePullSecrets',
  },
  'endpoints/pod-cannot-start': {
    severity: 'error',
    hop: 'endpoint',
    title: '{pods} can not start',
    cause:
      'kubelet can not prepare the pod or start its container: most often a Secret or ConfigMap that is not there, or a wrong command.',
    fix: '`kubectl -n {namespace} describe pod {pod}`; then create what it lacks, or correct its name in the pod template',
    explainedBy: ['cert/secret-missing'],
  },
  'endpoints/pod-crashing': {
    severity: 'error',
    hop: 'endpoint',
    title: '{pods} can not serve: container {container} crashes',
    cause: 'The program in the container ends soon after it has started; its log says why.',
    fix: '`kubectl -n {namespace} logs {pod} -c {container} --previous={previous}`',
    explainedBy: ['auth/reader-missing', 'auth/requestheader-missing', 'security/key-mismatch', 'cert/secret-unreadable'],
  },
  'endpoints/node-not-ready': {
    severity: 'error',
    hop: 'endpoint',
    title: '{pods} not ready: the node does not answer',
    cause: 'Nothing is heard from the kubelet of node {node}: the node is down, or cut off. Until it is back, its pods count as not ready.',
    fix: '`kubectl describe node {node}`; then bring it back, or delete it, so that its pods are made anew elsewhere',
  },
  'endpoints/readiness-gate': {
    severity: 'error',
    hop: 'endpoint',
    title: '{pods} not ready: a readiness gate is not true',
    cause:
      'All containers are ready, but the pod has a readiness gate (spec.readinessGates), a condition that another controller has to set.',
    fix: '`kubectl -n {namespace} describe pod {pod}`; then see to the controller that sets the condition',
  },
  'endpoints/pod-terminating': {
    severity: 'warning',
    hop: 'endpoint',
    title: '{pods} can not end',
    cause: 'Its grace period is over, yet it is still there: node {node} does not answer, or a finalizer holds the pod.',
    fix: '`kubectl describe node {node}`; `kubectl -n {namespace} get pod {pod} -o jsonpath={.metadata.finalizers}`',
  },
  'endpoints/pod-not-ready': {
    severity: 'error',
    hop: 'endpoint',
    title: '{pods} not ready, though running',
    cause: 'The readiness probe does not pass (yet), so the Service sends no requests there.',
    fix: '`kubectl -n {namespace} describe pod {pod}`; `kubectl -n {namespace} logs {pod} --all-containers`',
  },
  'endpoints/none': {
    severity: 'error',
    hop: 'service',
    title: 'Service {namespace}/{service} has no endpoints',
    cause: 'No pod that runs matches the selector of the Service, or nobody has made EndpointSlices for a Service without selector.',
    fix: '`kubectl -n {namespace} get pods --show-labels`; `kubectl -n {namespace} get service {service} -o jsonpath={.spec.selector}`',
    explainedBy: podTroubles,
  },
  'endpoints/not-ready': {
    severity: 'error',
    hop: 'service',
    title: 'no endpoint of Service {namespace}/{service} is ready',
    cause: 'The pods run but do not pass their readiness probe, or do not start.',
    fix: '`kubectl -n {namespace} get pods`; `kubectl -n {namespace} describe pods`; `kubectl -n {namespace} logs <pod>`',
    explainedBy: [...podTroubles, 'endpoints/pod-not-ready'],
  },
  'endpoints/port-name-mismatch': {
    severity: 'error',
    hop: 'service',
    title: 'the endpoints of {namespace}/{service} have no port named "{portName}"',
    cause: 'kube-apiserver finds the port of an endpoint by the name of the Service port; the EndpointSlice does not have that name.',
    fix: '`kubectl -n {namespace} get endpointslices -l kubernetes.io/service-name={service} -o yaml`; give both ports the same name',
    explainedBy: ['service/target-port-unknown'],
  },
  'endpoints/connection-refused': {
    severity: 'error',
    hop: 'endpoint',
    title: 'nothing listens at {endpoints}: connection refused',
    cause: 'The extension API server has stopped, or it listens on another port or only on loopback.',
    fix: 'Start the server; compare its --secure-port and --bind-address with the targetPort of Service {namespace}/{service}.',
    explainedBy: ['service/wrong-target-port', 'service/other-port'],
  },
  'endpoints/not-tls': {
    severity: 'error',
    hop: 'endpoint',
    title: '{endpoints} does not speak TLS',
    cause:
      'The extension API server answers in plain HTTP, or the targetPort is that of another protocol. kube-apiserver speaks HTTPS only.',
    fix: 'Serve HTTPS on that port (--secure-port, --tls-cert-file, --tls-private-key-file), or correct the targetPort.',
    explainedBy: ['service/wrong-target-port', 'service/other-port'],
  },
  'endpoints/handshake-failed': {
    severity: 'error',
    hop: 'endpoint',
    title: 'the TLS handshake with {endpoints} fails',
    cause: 'The server ends the connection during the handshake; its log says why.',
    fix: "Read the server's log; it must accept TLS 1.2 or newer and send a certificate for {host}.",
    explainedBy: ['service/wrong-target-port', 'service/other-port'],
  },
  'endpoints/tls-too-old': {
    severity: 'error',
    hop: 'endpoint',
    title: 'the server at {endpoints} does not speak TLS 1.2 or newer',
    cause: 'kube-apiserver speaks TLS 1.2 at least.',
    fix: 'Raise --tls-min-version of the server to VersionTLS12, or build it with a newer TLS library.',
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
