import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { UsageError } from '../../errors.ts';
import { enter, type Network } from './network.ts';

/** Where the processes of a control plane run and listen. */
export interface Place {
  /** The command prefix that enters it. */
  readonly enter: readonly string[];
  /** The address of kube-apiserver; this host reaches it. */
  readonly address: string;
  readonly ports: { readonly apiserver: number; readonly etcd: number; readonly etcdPeer: number; readonly controllerManager: number };
  /** Whether loopback is private to it: etcd then needs no certificates. */
  readonly isolated: boolean;
}

/** A network namespace, where the default ports are free. */
export const placeIn = (network: Network): Place => ({
  enter: enter(network),
  address: network.address,
  ports: { apiserver: 6443, etcd: 2379, etcdPeer: 2380, controllerManager: 10257 },
  isolated: true,
});

/** Loopback of this host, on free ports: for users who cannot create network namespaces. */
export async function placeOnLoopback(): Promise<Place> {
  const [apiserver, etcd, etcdPeer, controllerManager] = await freePorts(4);
  return { enter: [], address: '127.0.0.1', ports: { apiserver, etcd, etcdPeer, controllerManager } as Place['ports'], isolated: false };
}

/** Opens all ports at the same time, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/**
 * An address of this host for EndpointSlices, which may not name loopback
 * (k8s.io/kubernetes/pkg/apis/core/validation, ValidateNonSpecialIP).
 * @throws UsageError
 */
export function podAddressOfHost(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const found = addresses.find(({ internal, family, address }) => !internal && family === 'IPv4' && !address.startsWith('169.254.'));
  if (found) return found.address;
  throw new UsageError('cannot assign an IP address to pods: this host has only loopback addresses, which kube-apiserver rejects', {
    fix: 'Connect the host to a network, run as root on Linux, or use --engine simulated.',
  });
}
