import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { cluster } from '../harness/provided.ts';
import { startProcess } from '../harness/servers.ts';

const forwarder = fileURLToPath(new URL('./forward.mjs', import.meta.url));
const ip = (change: 'add' | 'del', address: string) =>
  execa('ip', ['-n', cluster.network.name, 'addr', change, `${address}/32`, 'dev', 'lo']);

/** A resource that a spec starts and stops. */
export interface Stoppable {
  stop(): Promise<void>;
}

/**
 * Makes the cluster IP of a Service reachable in the network namespace of the control plane, as
 * kube-proxy does on a node. Forwards port 443 to `port` at the address of the namespace.
 */
export async function serveServiceAddress(address: string, port: number): Promise<Stoppable> {
  await ip('add', address);
  const forwarding = startProcess('forward', process.execPath, [forwarder, address, '443', cluster.network.address, String(port)]);
  const stop = async (): Promise<void> => {
    await forwarding.stop();
    await ip('del', address);
  };
  return { stop };
}
