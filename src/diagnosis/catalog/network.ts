import type { CatalogEntry } from './entry.ts';

/** The network between kube-apiserver and the endpoints. */
export const networkEntries = {
  'network/timeout': {
    severity: 'error',
    hop: 'endpoint',
    title: 'Connections from kube-apiserver to {endpoints} time out',
    cause:
      'A NetworkPolicy, firewall or security group drops packets from the control plane to the pods, or the extension API server does not respond.',
    fix: 'Allow traffic from the control plane to the port of the pods. In managed clusters, firewall rules often allow only ports 443 and 10250.',
    explainedBy: ['service/not-tcp'],
  },
  'network/no-route': {
    severity: 'error',
    hop: 'endpoint',
    title: 'kube-apiserver has no route to {endpoints}',
    cause: 'The kube-apiserver host cannot reach the pod network, or the tunnel to the pod network is down.',
    fix: 'Check the routes from the control plane to the pod network, or check the Konnectivity agents. If kube-apiserver cannot reach an overlay network, run the extension API server with hostNetwork: true.',
  },
  'network/no-konnectivity-agent': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'No Konnectivity agent is connected to kube-apiserver',
    cause: 'kube-apiserver reaches pods through Konnectivity, but no Konnectivity agent is connected.',
    fix: 'List the Konnectivity agents: `kubectl -n kube-system get pods -l k8s-app=konnectivity-agent`. Then check why the agents are not running, or cannot connect to the Konnectivity server.',
  },
  'network/address-not-allowed': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The proxy between kube-apiserver and the pods does not allow the address of the endpoints',
    cause:
      'In this managed cluster, kube-apiserver connects to pods through a proxy. The proxy cannot route to the address of the endpoints, which is typical of a custom pod network.',
    fix: 'Run the extension API server with hostNetwork: true, or use the pod network of the cloud provider.',
  },
  'network/proxy-in-the-way': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'An HTTP proxy refuses the connection from kube-apiserver to the extension API server',
    cause:
      'The environment variable HTTPS_PROXY is set for kube-apiserver, and NO_PROXY does not contain the addresses of Services and pods.',
    fix: 'Add .svc and the CIDR ranges of Services and pods to the kube-apiserver environment variable NO_PROXY.',
  },
  'network/connection-lost': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The connection from kube-apiserver to Service {namespace}/{service} is closed without a response',
    cause:
      'The connection is accepted and then closed. Possible causes are an HTTP proxy, a service mesh that requires mutual TLS, or a server that is shutting down.',
    fix: 'Check whether HTTPS_PROXY is set for kube-apiserver, and whether the pods have a service mesh sidecar. If the pods have a sidecar, exclude the port of the extension API server from the mesh.',
    explainedBy: ['auth/proxy-certificate-refused', 'endpoints/server-name-required', 'endpoints/server-name-refused'],
  },
  'network/cluster-ip-unreachable': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'kube-apiserver cannot reach {clusterIP}, the cluster IP of Service {namespace}/{service}',
    cause: 'On the kube-apiserver host, kube-proxy (or its replacement) is not running, or has no rules for the Service.',
    fix: 'Run kube-proxy on the control plane nodes, or start kube-apiserver with --enable-aggregator-routing=true.',
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
