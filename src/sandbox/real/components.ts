import { join } from 'node:path';
import { type ControlPlaneFiles, frontProxyName } from './credentials.ts';

/** Paths of the programs that make a control plane. */
export interface ControlPlanePrograms {
  readonly etcd: string;
  readonly kubeApiserver: string;
  readonly kubeControllerManager: string;
}

// In a network namespace of its own every port is free, so these are the usual ones.
export const apiserverPort = 6443;
/** Inside the namespace only: etcd has no authentication here. Its default listeners are on localhost. */
export const etcdUrl = 'http://127.0.0.1:2379';

/** The address that the Service `kubernetes` gets: the first of the range. */
export const kubernetesServiceAddress = '10.96.0.1';
/** What Services get their addresses from. */
export const serviceAddresses = '10.96.0.0/16';

type Command = readonly [string, ...string[]];

/** What a kube-apiserver is started with beyond what all of them are. */
export interface ApiserverChange {
  /** After all others. The last one of a name counts, but a list gets longer with each (pflag, StringSliceVar). */
  readonly flags?: readonly string[];
  /** Added to the environment, e.g. HTTPS_PROXY. */
  readonly env?: Readonly<Record<string, string>>;
}

/** etcd that keeps nothing beyond its own life, so it need not wait for the disk. */
export const etcdCommand = ({ etcd }: ControlPlanePrograms, stateDir: string): Command => [
  etcd,
  `--data-dir=${join(stateDir, 'etcd')}`,
  '--unsafe-no-fsync',
];

interface ApiserverOptions extends Pick<ApiserverChange, 'flags'> {
  readonly address: string;
  /** Reach extension servers at their endpoints; without it at their Service's address, which needs kube-proxy. */
  readonly aggregatorRouting: boolean;
}

/** kube-apiserver with the aggregation layer. */
export const kubeApiserverCommand = (
  { kubeApiserver }: ControlPlanePrograms,
  files: ControlPlaneFiles,
  { address, aggregatorRouting, flags = [] }: ApiserverOptions,
): Command => [
  kubeApiserver,
  `--etcd-servers=${etcdUrl}`,
  `--bind-address=${address}`,
  `--advertise-address=${address}`,
  `--secure-port=${apiserverPort}`,
  `--tls-cert-file=${files.serving.cert}`,
  `--tls-private-key-file=${files.serving.key}`,
  `--client-ca-file=${files.ca.cert}`,
  '--authorization-mode=Node,RBAC',
  '--allow-privileged=true',
  `--kubelet-certificate-authority=${files.ca.cert}`,
  `--kubelet-client-certificate=${files.kubeletClient.cert}`,
  `--kubelet-client-key=${files.kubeletClient.key}`,
  // There is no DNS that would know a node by its name.
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

/** kube-controller-manager, one of a kind, so that it need not be elected first. */
export const kubeControllerManagerCommand = (
  { kubeControllerManager }: ControlPlanePrograms,
  files: ControlPlaneFiles,
  kubeconfig: string,
): Command => [
  kubeControllerManager,
  `--kubeconfig=${kubeconfig}`,
  '--bind-address=127.0.0.1',
  '--leader-elect=false',
  '--use-service-account-credentials',
  // Getting a token for each of its 30 controllers takes 5 s at the default of 20 requests a second.
  '--kube-api-qps=1000',
  '--kube-api-burst=1000',
  `--root-ca-file=${files.ca.cert}`,
  `--service-account-private-key-file=${files.serviceAccountKey}`,
  `--cluster-signing-cert-file=${files.ca.cert}`,
  `--cluster-signing-key-file=${files.ca.key}`,
];
