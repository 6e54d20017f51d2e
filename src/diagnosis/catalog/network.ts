import type { CatalogEntry } from './entry.ts';

/** The way from kube-apiserver to the endpoints. */
export const networkEntries = {
  'network/timeout': {
    severity: 'error',
    hop: 'endpoint',
    title: 'kube-apiserver gets no answer from {endpoints} in time',
    cause: 'A NetworkPolicy, firewall or security group drops the packets from the control plane to the pods, or the server hangs.',
    fix: 'Allow the control plane to reach the port of the pods (managed clusters often allow 443 and 10250 only).',
  },
  'network/no-route': {
    severity: 'error',
    hop: 'endpoint',
    title: 'kube-apiserver has no route to {endpoints}',
    cause: 'The pod network can not be reached from where kube-apiserver runs, or a tunnel to it is down.',
    fix: 'Check the routes or the konnectivity agents; an overlay network may need hostNetwork for the extension API server.',
  },
  'network/no-konnectivity-agent': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'kube-apiserver has no konnectivity agent to reach the pods with',
    cause: 'kube-apiserver sends what goes to pods through a tunnel, and no agent is connected to its other end.',
    fix: '`kubectl -n kube-system get pods -l k8s-app=konnectivity-agent`; see why they do not run or do not connect',
  },
  'network/address-not-allowed': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'kube-apiserver is not allowed to connect to the address of the endpoints',
    cause:
      'The proxy through which kube-apiserver of a managed cluster reaches nodes does not know the address, as with a pod network of its own.',
    fix: 'Run the extension API server with hostNetwork: true, or use the pod network of the provider.',
  },
  'network/proxy-in-the-way': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'kube-apiserver sends the request to an HTTP proxy, which refuses it',
    cause: 'HTTPS_PROXY is set for kube-apiserver, and NO_PROXY does not contain the addresses of Services and pods.',
    fix: 'Add the address ranges of Services and pods, and .svc, to NO_PROXY of kube-apiserver.',
  },
  'network/connection-lost': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'the connection of kube-apiserver to {service} ends without an answer',
    cause:
      'Something on the way accepts the connection and drops it: an HTTP proxy, a service mesh that wants its own TLS, or a server that is going down.',
    fix: 'Look for HTTPS_PROXY of kube-apiserver and for a service mesh sidecar in the pods; exempt port {port} of the server from it.',
    explainedBy: ['auth/proxy-certificate-refused'],
  },
  'network/cluster-ip-unreachable': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'kube-apiserver does not reach the cluster IP {clusterIP} of Service {namespace}/{service}',
    cause:
      'Nothing on the machine of kube-apiserver translates cluster IPs: kube-proxy, or what stands for it, does not run there or has no rules for the Service.',
    fix: 'Run kube-proxy on the control plane, or start kube-apiserver with --enable-aggregator-routing=true.',
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
