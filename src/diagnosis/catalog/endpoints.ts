import type { CatalogEntry } from './entry.ts';
import { deletions, podProblems } from './symptoms.ts';

/** The pods behind the Service, their addresses, and the connections to them. */
export const endpointsEntries = {
  'endpoints/no-replicas': {
    severity: 'warning',
    hop: 'endpoint',
    title: '{workload} has 0 replicas',
    cause: 'Without pods, the Service has no endpoints. The API is not available until the workload is scaled up.',
    fix: 'Set spec.replicas of {workload} to at least 1, or remove the field to use the default of 1.',
  },
  'endpoints/pod-unschedulable': {
    severity: 'error',
    hop: 'endpoint',
    title: 'Failed to schedule {pods}',
    cause:
      "No node meets the pod's requirements (CPU, memory, node labels, taints or volumes), or the pod has a scheduling gate. The scheduler's message explains why.",
    fix: "Read the events of the pod: `kubectl -n {namespace} describe pod {pod}`. Then lower the pod's resource requests, relax its scheduling constraints, add a suitable node, or remove its scheduling gates.",
  },
  'endpoints/image-pull': {
    severity: 'error',
    hop: 'endpoint',
    title: 'Failed to pull the image of container {container} in {pods}',
    cause:
      'The name or tag of the image is wrong, the node cannot reach the registry, or the registry requires credentials (imagePullSecrets).',
    fix: 'Read the events of the pod: `kubectl -n {namespace} describe pod {pod}`. Then correct the image of the container, or the imagePullSecrets of the pod.',
  },
  'endpoints/pod-cannot-start': {
    severity: 'error',
    hop: 'endpoint',
    title: 'Failed to start {pods}',
    cause:
      'The kubelet cannot set up the pod or start its container. Common causes are a Secret or ConfigMap that does not exist, and a wrong command.',
    fix: 'Read the events of the pod: `kubectl -n {namespace} describe pod {pod}`. Then create the missing object, or correct the pod template.',
    explainedBy: ['cert/secret-missing', 'service/namespace-terminating'],
  },
  'endpoints/pod-crashing': {
    severity: 'error',
    hop: 'endpoint',
    title: 'Container {container} crashes in {pods}',
    cause: 'The process in the container exits soon after it starts. The log of the container usually shows why.',
    fix: 'Read the log of the container: `kubectl -n {namespace} logs {pod} -c {container} --previous={previous}`',
    fixes:
      'Read the log of the container: `kubectl -n {namespace} logs {pod} -c {container} --previous`. If the container has not restarted, omit --previous.',
    explainedBy: ['auth/reader-missing', 'auth/requestheader-missing', 'security/key-mismatch', 'cert/secret-unreadable'],
  },
  'endpoints/node-not-ready': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The node of {pods} is not ready',
    cause:
      'The kubelet on node {node} stopped posting node status, because the node is down or disconnected. The pods on the node are not ready until the kubelet posts node status again.',
    fix: 'Check the conditions of the node: `kubectl describe node {node}`. Then repair the node. To replace its pods on other nodes, delete the node.',
  },
  'endpoints/readiness-gate': {
    severity: 'error',
    hop: 'endpoint',
    title: 'A readiness gate of {pods} is not satisfied',
    cause:
      'All containers are ready, but the condition of a readiness gate (spec.readinessGates) is not True. An external controller, such as a load balancer controller, sets this condition.',
    fix: 'Check the conditions of the pod: `kubectl -n {namespace} describe pod {pod}`. Then check the controller that sets the condition of the readiness gate.',
  },
  'endpoints/pod-terminating': {
    severity: 'warning',
    hop: 'endpoint',
    title: 'The deletion of {pods} is stuck',
    cause: 'The grace period is over, but the pod still exists. Either node {node} does not respond, or the pod has a finalizer.',
    fix: 'Check that the node is ready: `kubectl describe node {node}`. Then check whether the pod has finalizers: `kubectl -n {namespace} get pod {pod} -o jsonpath={.metadata.finalizers}`',
    explainedBy: ['service/namespace-terminating'],
  },
  'endpoints/pod-not-ready': {
    severity: 'error',
    hop: 'endpoint',
    title: 'A container is running but not ready in {pods}',
    cause: 'The readiness probe has not succeeded, so the Service sends no requests to the pod.',
    fix: 'Read the events of the pod: `kubectl -n {namespace} describe pod {pod}`. Then read the logs of its containers: `kubectl -n {namespace} logs {pod} --all-containers`',
    explainedBy: ['service/namespace-terminating'],
  },
  'endpoints/none': {
    severity: 'error',
    hop: 'service',
    title: 'Service {namespace}/{service} has no endpoints',
    cause: 'No running pod matches the selector of the Service, or the Service has no selector and no EndpointSlice.',
    fix: 'List the labels of the pods: `kubectl -n {namespace} get pods --show-labels`. Then compare them with the selector of the Service: `kubectl -n {namespace} get service {service} -o jsonpath={.spec.selector}`',
    explainedBy: [...podProblems, ...deletions],
  },
  'endpoints/not-ready': {
    severity: 'error',
    hop: 'service',
    title: 'Service {namespace}/{service} has no ready endpoints',
    cause: 'The pods of the Service do not start, or their readiness probes fail.',
    fix: 'List the pods: `kubectl -n {namespace} get pods`. Read their events: `kubectl -n {namespace} describe pods`. Then read the log of the extension API server: `kubectl -n {namespace} logs service/{service}`',
    explainedBy: [...podProblems, 'endpoints/pod-not-ready', ...deletions],
  },
  'endpoints/port-name-mismatch': {
    severity: 'error',
    hop: 'service',
    title: 'The endpoints of Service {namespace}/{service} have no port named "{portName}"',
    cause: 'kube-apiserver looks up the port of an endpoint by the name of the Service port. The EndpointSlice has no port with this name.',
    fix: 'Check the port names in the EndpointSlices: `kubectl -n {namespace} get endpointslices -l kubernetes.io/service-name={service} -o yaml`. Then give the port of the Service and the port of the EndpointSlices the same name.',
    explainedBy: ['service/target-port-unknown'],
  },
  'endpoints/connection-refused': {
    severity: 'error',
    hop: 'endpoint',
    title: 'Connection refused at {endpoints}',
    cause:
      'The extension API server is not running, listens on a different port, or listens only on the loopback interface. A NetworkPolicy can also be the cause. k3s and kube-router reject connections that a NetworkPolicy does not allow. Most other network plugins drop the packets.',
    fix: 'Check that the extension API server is running. Then check that its --secure-port is the targetPort of Service {namespace}/{service}, and that its --bind-address is not 127.0.0.1. If a NetworkPolicy applies to the pods, allow traffic from the control plane to the port of the pods.',
    explainedBy: ['service/wrong-target-port', 'service/other-port', 'service/not-tcp'],
  },
  'endpoints/not-tls': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The server at {endpoints} does not use TLS',
    cause: 'The port serves plain HTTP or a different protocol. kube-apiserver requires HTTPS.',
    fix: 'Configure the extension API server to serve HTTPS on this port (--secure-port, --tls-cert-file, --tls-private-key-file), or correct the targetPort of Service {namespace}/{service}.',
    explainedBy: ['service/wrong-target-port', 'service/other-port'],
  },
  'endpoints/server-name-required': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The server at {endpoints} refuses TLS handshakes without a server name (SNI)',
    cause:
      'Up to Kubernetes 1.35, the kube-apiserver availability check sends no server name, so the check always fails. While the check fails, kube-apiserver forwards no client requests, although it would send them with the server name {host}.',
    fix: 'Configure the extension API server to also serve its certificate to clients that send no server name. For a server built with k8s.io/apiserver, use --tls-cert-file instead of --tls-sni-cert-key. Or upgrade the control plane to Kubernetes 1.36 or newer.',
  },
  'endpoints/server-name-refused': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The server at {endpoints} refuses TLS handshakes for {host}',
    cause:
      'kube-apiserver sends the server name {host} in the TLS handshake (SNI). The server selects its certificate by this name, and has no certificate for it. Without a server name, the handshake succeeds.',
    fix: 'Configure the extension API server to serve a certificate for {host}, or to serve its default certificate for every server name.',
  },
  'endpoints/handshake-failed': {
    severity: 'error',
    hop: 'endpoint',
    title: 'TLS handshake failed at {endpoints}',
    cause:
      'The server closes the connection during the TLS handshake, usually because it has no certificate for {host} or does not support TLS 1.2 or newer.',
    fix: 'Read the log of the extension API server. Configure the server to accept TLS 1.2 or newer, and to serve a certificate for {host}.',
    explainedBy: ['service/wrong-target-port', 'service/other-port', 'endpoints/server-name-refused'],
  },
  'endpoints/handshake-timeout': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The server at {endpoints} does not complete the TLS handshake',
    cause: 'The server accepts the connection, but then sends nothing. The server is overloaded, or the port does not serve TLS.',
    fix: 'Read the log of the server: `kubectl -n {namespace} logs service/{service}`. Then check the CPU limit of the server, and the targetPort of the Service.',
    explainedBy: ['service/wrong-target-port', 'service/other-port'],
  },
  'endpoints/answers-differ': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The endpoints of Service {namespace}/{service} respond differently: {answer} from {endpoints}, {usual} from the others',
    cause:
      'The response to the same request depends on the endpoint. kube-apiserver reuses its connections, so users may not notice the fault until kube-apiserver connects to a different endpoint.',
    fix: 'Compare the logs of the pods: `kubectl -n {namespace} logs --selector={selector} --prefix --tail=50`. Compare their images and arguments: `kubectl -n {namespace} describe pods --selector={selector}`. Then delete the pod that responds differently. Its controller creates a new pod.',
  },
  'endpoints/tls-too-old': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The server at {endpoints} does not support TLS 1.2 or newer',
    cause: 'kube-apiserver requires TLS 1.2 or newer.',
    fix: 'Configure the server to support TLS 1.2 or newer, or build the server with a newer TLS library.',
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
