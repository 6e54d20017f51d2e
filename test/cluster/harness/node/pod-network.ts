import { enter, type Network } from '../../../../src/sandbox/real/network.ts';
import { output } from '../../../../src/sandbox/shared/command.ts';

/** The addresses of a node's pods: 10.89.N.0/24 beside the network 10.88.N.0/24. */
const podAddresses = ({ address }: Network): string => address.replace(/^10\.88\.(\d+)\.\d+$/, '10.89.$1.0/24');

/** The CNI configuration: pods on a bridge inside the node's network namespace. */
export const podNetwork = (network: Network): object => ({
  cniVersion: '1.0.0',
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      bridge: 'cni0',
      isGateway: true,
      ipMasq: true,
      hairpinMode: true,
      ipam: { type: 'host-local', ranges: [[{ subnet: podAddresses(network) }]], routes: [{ dst: '0.0.0.0/0' }] },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
    { type: 'loopback' },
  ],
});

/**
 * Makes the host's way to pods a dead end, as it is on most people's machines: what is sent there comes as far as the node and is turned away. Without
 * a route it would go wherever the machine sends what it does not know, and anybody might answer. The route goes with the network.
 */
export async function turnHostAwayFromPods(network: Network): Promise<void> {
  await output('ip', 'route', 'add', podAddresses(network), 'via', network.address);
  const [program = '', ...entering] = enter(network);
  const reject = ['-I', 'FORWARD', '-i', 'eth0', '-j', 'REJECT', '--reject-with', 'icmp-host-prohibited'];
  await output(program, ...entering, 'iptables', '--wait', ...reject);
}
