import { join } from 'node:path';
import { type ControlPlaneFiles, frontProxyName } from '../shared/credentials.ts';
import type { Place } from './place.ts';

/** Paths of the programs of a control plane. */
export interface ControlPlanePrograms {
  readonly etcd: string;
  readonly kubeApiserver: string;
  /** Without it, there is no garbage collection and namespaces are never removed. */
  readonly kubeControllerManager: string | undefined;
}

/** The URL of etcd for processes in the same place. */
export const etcdUrl = ({ isolated, ports }: Place): string => `${isolated ? 'http' : 'https'}://127.0.0.1:${ports.etcd}`;

/** The range of cluster IPs. */
export const serviceAddresses = '10.96.0.0/16';

type Command = readonly [string, ...string[]];

/** What one kube-apiserver has beyond the common flags. */
export interface ApiserverChange {
  /** The last flag of a name wins, but lists are appended to (pflag, StringSliceVar). */
  readonly flags?: readonly string[];
  /** Added to the environment, e.g. HTTPS_PROXY. */
  readonly env?: Readonly<Record<string, string>>;
}

/** etcd without fsync: its data is not needed after it ends. */
export function etcdCommand(
  { etcd }: Pick<ControlPlanePrograms, 'etcd'>,
  { etcd: pair, etcdCa }: ControlPlaneFiles,
  stateDir: string,
  place: Place,
): Command {
  const url = etcdUrl(place);
  const peerUrl = url.replace(/\d+$/, String(place.ports.etcdPeer));
  const tls = (prefix: '' | 'peer-'): string[] => [
    `--${prefix}cert-file=${pair.cert}`,
    `--${prefix}key-file=${pair.key}`,
    `--${prefix}trusted-ca-file=${etcdCa.cert}`,
    `--${prefix}client-cert-auth`,
  ];
  return [
    etcd,
    `--data-dir=${join(stateDir, 'etcd')}`,
    '--unsafe-no-fsync',
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=default=${peerUrl}`,
    ...(place.isolated ? [] : [...tls(''), ...tls('peer-')]),
  ];
}

interface ApiserverOptions extends Pick<ApiserverChange, 'flags'> {
  readonly place: Place;
  /** Reach servers at their endpoints. The cluster IP of their Service would need kube-proxy. */
  readonly aggregatorRouting: boolean;
}

/** kube-apiserver with the aggregation layer. */
export const kubeApiserverCommand = (
  { kubeApiserver }: ControlPlanePrograms,
  files: ControlPlaneFiles,
  { place, aggregatorRouting, flags = [] }: ApiserverOptions,
): Command => [
  kubeApiserver,
  `--etcd-servers=${etcdUrl(place)}`,
  ...(place.isolated
    ? []
    : [`--etcd-cafile=${files.etcdCa.cert}`, `--etcd-certfile=${files.etcd.cert}`, `--etcd-keyfile=${files.etcd.key}`]),
  `--bind-address=${place.address}`,
  `--advertise-address=${place.address}`,
  // Loopback is not valid in the endpoints of the Service `kubernetes`.
  ...(place.isolated ? [] : ['--endpoint-reconciler-type=none']),
  `--secure-port=${place.ports.apiserver}`,
  `--tls-cert-file=${files.serving.cert}`,
  `--tls-private-key-file=${files.serving.key}`,
  `--client-ca-file=${files.ca.cert}`,
  '--authorization-mode=Node,RBAC',
  '--allow-privileged=true',
  `--kubelet-certificate-authority=${files.ca.cert}`,
  `--kubelet-client-certificate=${files.kubeletClient.cert}`,
  `--kubelet-client-key=${files.kubeletClient.key}`,
  // No DNS server resolves the name of a node.
  '--kubelet-preferred-address-types=InternalIP',
  `--service-cluster-ip-range=${serviceAddresses}`,
  '--service-account-issuer=https://kubernetes.default.svc',
  `--service-account-signing-key-file=${files.serviceAccountKey}`,
  `--service-account-key-file=${files.serviceAccountPublicKey}`,
  `--enable-aggregator-routing=${aggregatorRouting}`,
  `--proxy-client-cert-file=${files.frontProxyClient.cert}`,
  `--proxy-client-key-file=${files.frontProxyClient.key}`,
  `--requestheader-client-ca-file=${files.frontProxyCa.cert}`,
  `--requestheader-allowed-names=${frontProxyName}`,
  '--requestheader-username-headers=X-Remote-User',
  '--requestheader-group-headers=X-Remote-Group',
  '--requestheader-extra-headers-prefix=X-Remote-Extra-',
  ...flags,
];

/**
 * The controllers that the node does not replace
 * (k8s.io/kubernetes/cmd/kube-controller-manager/names).
 */
export const sandboxControllers: readonly string[] = [
  'clusterrole-aggregation-controller',
  'garbage-collector-controller',
  'namespace-controller',
  'root-ca-certificate-publisher-controller',
  'serviceaccount-controller',
  'serviceaccount-token-controller',
];

interface ControllerManagerOptions {
  readonly place: Place;
  readonly kubeconfig: string;
  /** Default: all controllers that are enabled by default. */
  readonly controllers?: readonly string[] | undefined;
}

/** kube-controller-manager without leader election. */
export const kubeControllerManagerCommand = (
  program: string,
  files: ControlPlaneFiles,
  { place, kubeconfig, controllers = ['*'] }: ControllerManagerOptions,
): Command => [
  program,
  `--kubeconfig=${kubeconfig}`,
  `--controllers=${controllers.join(',')}`,
  '--bind-address=127.0.0.1',
  `--secure-port=${place.ports.controllerManager}`,
  '--leader-elect=false',
  '--use-service-account-credentials',
  // Requesting a token for each of 30 controllers takes 5 s at the default QPS of 20.
  '--kube-api-qps=1000',
  '--kube-api-burst=1000',
  `--root-ca-file=${files.ca.cert}`,
  `--service-account-private-key-file=${files.serviceAccountKey}`,
  `--cluster-signing-cert-file=${files.ca.cert}`,
  `--cluster-signing-key-file=${files.ca.key}`,
];
