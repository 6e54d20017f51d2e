import type { CatalogEntry } from './entry.ts';

/** The network between kube-apiserver and the endpoints. */
export const networkEntries = {
  'network/timeout': {
    severity: 'error',
    hop: 'endpoint',
    title: 'Connections from kube-apiserver to {endpoints} time out',
    cause: 'A NetworkPolicy, firewall or security group drops packets from the control plane to the pods, or the server hangs.',
    fix: 'Allow traffic from the control plane to the port of the pods. Managed clusters often allow only ports 443 and 10250.',
  },
  'network/no-route': {
    severity: 'error',
    hop: 'endpoint',
    title: 'kube-apiserver has no route to {endpoints}',
    cause: 'The pod network is not reachable from the host of kube-apiserver, or a tunnel to it is down.',
    fix: 'Check the routes or the Konnectivity agents. With an overlay network, the extension API server may need hostNetwork: true.',
  },
  'network/no-konnectivity-agent': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'No Konnectivity agent is connected to kube-apiserver',
    cause: 'kube-apiserver reaches pods through Konnectivity, but no Konnectivity agent is connected.',
    fix: '`kubectl -n kube-system get pods -l k8s-app=konnectivity-agent`; then check why they are not running or not connected',
  },
  'network/address-not-allowed': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: "The control plane's proxy refuses the address of the endpoints",
    cause:
      'In this managed cluster, kube-apiserver connects to pods through a proxy. The proxy cannot route to this address, which is typical of a custom pod network.',
    fix: "Run the extension API server with hostNetwork: true, or use the provider's pod network.",
  },
  'network/proxy-in-the-way': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'kube-apiserver sends the request to an HTTP proxy, which refuses it',
    cause: 'HTTPS_PROXY is set for kube-apiserver, and NO_PROXY does not contain the addresses of Services and pods.',
    fix: "Add the CIDR ranges of Services and pods, and .svc, to kube-apiserver's NO_PROXY.",
  },
  'network/connection-lost': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The connection from kube-apiserver to {service} is closed without a response',
    cause:
      'The connection is accepted and then closed. Possible reasons are an HTTP proxy, a service mesh that requires its own TLS, or a server that is shutting down.',
    fix: 'Check kube-apiserver for HTTPS_PROXY, and the pods for a service mesh sidecar. Exclude port {port} of the server from the mesh.',
    explainedBy: ['auth/proxy-certificate-refused'],
  },
  'network/cluster-ip-unreachable': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'kube-apiserver cannot reach {clusterIP}, the cluster IP of Service {namespace}/{service}',
    cause: 'kube-proxy, or its replacement, is not running on the host of kube-apiserver, or has no rules for the Service.',
    fix: 'Run kube-proxy on the control plane, or start kube-apiserver with --enable-aggregator-routing=true.',
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
