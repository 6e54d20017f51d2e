import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { UsageError } from '../../errors.ts';
import { enter, type Network } from './network.ts';

/** Where the processes of a control plane run, and at which addresses they meet each other and this machine. */
export interface Place {
  /** The words before a command that bring it there. */
  readonly enter: readonly string[];
  /** Where kube-apiserver listens; this machine reaches it. */
  readonly address: string;
  readonly ports: { readonly apiserver: number; readonly etcd: number; readonly etcdPeer: number; readonly controllerManager: number };
  /** Whether nobody else is on its loopback interface, where etcd listens: then it needs no certificates. */
  readonly isolated: boolean;
}

/** In a network namespace every port is free, so these are the usual ones. */
export const placeIn = (network: Network): Place => ({
  enter: enter(network),
  address: network.address,
  ports: { apiserver: 6443, etcd: 2379, etcdPeer: 2380, controllerManager: 10257 },
  isolated: true,
});

/** On this machine itself, on loopback and on ports that are free now: for whoever may not make network namespaces. */
export async function placeHere(): Promise<Place> {
  const [apiserver, etcd, etcdPeer, controllerManager] = await freePorts(4);
  return { enter: [], address: '127.0.0.1', ports: { apiserver, etcd, etcdPeer, controllerManager } as Place['ports'], isolated: false };
}

/** Ports of loopback that are free now, held all at once so that no two are the same. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/**
 * An address of this machine that an EndpointSlice may name: not a loopback one (k8s.io/kubernetes/pkg/apis/core/validation, ValidateNonSpecialIP).
 * @throws UsageError when there is none
 */
export function outwardAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const found = addresses.find(({ internal, family, address }) => !internal && family === 'IPv4' && !address.startsWith('169.254.'));
  if (found) return found.address;
  throw new UsageError('this machine has no network address but loopback, which kube-apiserver does not take for a pod', {
    fix: 'Connect it to a network, run as root on Linux, or take the simulation: --engine simulated.',
  });
}
