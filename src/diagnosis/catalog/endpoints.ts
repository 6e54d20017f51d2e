import type { CatalogEntry } from './entry.ts';
import { podProblems } from './symptoms.ts';

/** The pods behind the Service, their addresses, and the connections to them. */
export const endpointsEntries = {
  'endpoints/pod-unschedulable': {
    severity: 'error',
    hop: 'endpoint',
    title: 'Unschedulable: {pods}',
    cause:
      "No node meets the pod's requirements (CPU, memory, node labels, taints or volumes), or the pod has a scheduling gate. The evidence is the scheduler's message.",
    fix: '`kubectl -n {namespace} describe pod {pod}`; then lower its resource requests, relax its scheduling constraints, add a suitable node, or remove its scheduling gates',
  },
  'endpoints/image-pull': {
    severity: 'error',
    hop: 'endpoint',
    title: 'Failed to pull the image of {pods} (container {container})',
    cause:
      'The name or tag of the image is wrong, the node cannot reach the registry, or the registry requires credentials (imagePullSecrets).',
    fix: '`kubectl -n {namespace} describe pod {pod}`; then correct the image of the container, or its imagePullSecrets',
  },
  'endpoints/pod-cannot-start': {
    severity: 'error',
    hop: 'endpoint',
    title: 'Failed to start {pods}',
    cause:
      'The kubelet cannot set up the pod or start its container. Usual reasons are a Secret or ConfigMap that does not exist, or a wrong command.',
    fix: '`kubectl -n {namespace} describe pod {pod}`; then create the missing object, or correct the pod template',
    explainedBy: ['cert/secret-missing'],
  },
  'endpoints/pod-crashing': {
    severity: 'error',
    hop: 'endpoint',
    title: 'Container {container} crashes in {pods}',
    cause: 'The process in the container exits soon after it starts. Its log usually shows why.',
    fix: '`kubectl -n {namespace} logs {pod} -c {container} --previous={previous}`',
    explainedBy: ['auth/reader-missing', 'auth/requestheader-missing', 'security/key-mismatch', 'cert/secret-unreadable'],
  },
  'endpoints/node-not-ready': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The node of {pods} is not ready',
    cause: 'The kubelet of node {node} stopped reporting: the node is down or disconnected. Its pods are not ready until it returns.',
    fix: '`kubectl describe node {node}`; then repair the node, or delete it so that its pods are replaced on other nodes',
  },
  'endpoints/readiness-gate': {
    severity: 'error',
    hop: 'endpoint',
    title: 'A readiness gate of {pods} is not satisfied',
    cause:
      'All containers are ready, but the condition of a readiness gate (spec.readinessGates) is not True. An external controller, such as a load balancer controller, sets this condition.',
    fix: '`kubectl -n {namespace} describe pod {pod}`; then check the controller that sets the condition',
  },
  'endpoints/pod-terminating': {
    severity: 'warning',
    hop: 'endpoint',
    title: 'Stuck in Terminating: {pods}',
    cause: 'The grace period is over, but the pod still exists: node {node} does not respond, or the pod has a finalizer.',
    fix: '`kubectl describe node {node}`; `kubectl -n {namespace} get pod {pod} -o jsonpath={.metadata.finalizers}`',
  },
  'endpoints/pod-not-ready': {
    severity: 'error',
    hop: 'endpoint',
    title: 'Running, but not ready: {pods}',
    cause: 'The readiness probe has not succeeded, so the Service sends no requests to the pod.',
    fix: '`kubectl -n {namespace} describe pod {pod}`; `kubectl -n {namespace} logs {pod} --all-containers`',
  },
  'endpoints/none': {
    severity: 'error',
    hop: 'service',
    title: 'Service {namespace}/{service} has no endpoints',
    cause: 'No running pod matches the selector of the Service, or the Service has no selector and no EndpointSlice.',
    fix: '`kubectl -n {namespace} get pods --show-labels`; `kubectl -n {namespace} get service {service} -o jsonpath={.spec.selector}`',
    explainedBy: podProblems,
  },
  'endpoints/not-ready': {
    severity: 'error',
    hop: 'service',
    title: 'Service {namespace}/{service} has no ready endpoints',
    cause: 'The pods do not start, or their readiness probes fail.',
    fix: '`kubectl -n {namespace} get pods`; `kubectl -n {namespace} describe pods`; `kubectl -n {namespace} logs service/{service}`',
    explainedBy: [...podProblems, 'endpoints/pod-not-ready'],
  },
  'endpoints/port-name-mismatch': {
    severity: 'error',
    hop: 'service',
    title: 'The endpoints of Service {namespace}/{service} have no port named "{portName}"',
    cause: 'kube-apiserver looks up the port of an endpoint by the name of the Service port. The EndpointSlice has no port with this name.',
    fix: '`kubectl -n {namespace} get endpointslices -l kubernetes.io/service-name={service} -o yaml`; then give both ports the same name',
    explainedBy: ['service/target-port-unknown'],
  },
  'endpoints/connection-refused': {
    severity: 'error',
    hop: 'endpoint',
    title: 'Connection refused at {endpoints}',
    cause: 'The extension API server is not running, listens on a different port, or listens only on loopback.',
    fix: 'Start the server. Compare its --secure-port and --bind-address with the targetPort of Service {namespace}/{service}.',
    explainedBy: ['service/wrong-target-port', 'service/other-port'],
  },
  'endpoints/not-tls': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The server at {endpoints} does not use TLS',
    cause: 'The port serves plain HTTP or a different protocol. kube-apiserver requires HTTPS.',
    fix: 'Serve HTTPS on that port (--secure-port, --tls-cert-file, --tls-private-key-file), or correct the targetPort of the Service.',
    explainedBy: ['service/wrong-target-port', 'service/other-port'],
  },
  'endpoints/handshake-failed': {
    severity: 'error',
    hop: 'endpoint',
    title: 'TLS handshake failed at {endpoints}',
    cause: 'The server closes the connection during the TLS handshake. Its log usually shows why.',
    fix: 'Read the log of the server. It must accept TLS 1.2 or newer, and serve a certificate for {host}.',
    explainedBy: ['service/wrong-target-port', 'service/other-port'],
  },
  'endpoints/tls-too-old': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The server at {endpoints} does not support TLS 1.2 or newer',
    cause: 'kube-apiserver requires TLS 1.2 or newer.',
    fix: 'Set --tls-min-version of the server to VersionTLS12, or build it with a newer TLS library.',
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
