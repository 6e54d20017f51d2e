import { join } from 'node:path';
import { type ControlPlaneFiles, frontProxyName } from '../shared/credentials.ts';
import type { Place } from './place.ts';

/** Paths of the programs that make a control plane. */
export interface ControlPlanePrograms {
  readonly etcd: string;
  readonly kubeApiserver: string;
  /** Without it nothing is collected, no ServiceAccount made by itself, and namespaces are never gone. */
  readonly kubeControllerManager: string | undefined;
}

/** Where kube-apiserver, in the same place, finds etcd. */
export const etcdUrl = ({ isolated, ports }: Place): string => `${isolated ? 'http' : 'https'}://127.0.0.1:${ports.etcd}`;

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
  /** Reach extension servers at their endpoints; without it at their Service's address, which needs kube-proxy. */
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
  // A loopback address may not stand in the endpoints of the Service `kubernetes`, which it would try again and again.
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

/**
 * What a control plane does by itself where something else looks after Deployments, pods and endpoints (k8s.io/kubernetes/cmd/kube-controller-manager/names).
 */
export const housekeeping: readonly string[] = [
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
  /** Names of controllers; without, all that run by default. */
  readonly controllers?: readonly string[] | undefined;
}

/** kube-controller-manager, one of a kind, so that it need not be elected first. */
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
  // Getting a token for each of its 30 controllers takes 5 s at the default of 20 requests a second.
  '--kube-api-qps=1000',
  '--kube-api-burst=1000',
  `--root-ca-file=${files.ca.cert}`,
  `--service-account-private-key-file=${files.serviceAccountKey}`,
  `--cluster-signing-cert-file=${files.ca.cert}`,
  `--cluster-signing-key-file=${files.ca.key}`,
];
