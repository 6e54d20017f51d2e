import { enter, type Network } from '../../../../src/sandbox/real/network.ts';
import { output } from '../../../../src/sandbox/shared/command.ts';

/** The pod CIDR of a node: 10.89.N.0/24 for the network 10.88.N.0/24. */
const podAddresses = ({ address }: Network): string => address.replace(/^10\.88\.(\d+)\.\d+$/, '10.89.$1.0/24');

/** The CNI configuration. It connects pods to a bridge in the network namespace of the node. */
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
 * Rejects traffic from the host to pods, because on most machines pods are not reachable either. A
 * route sends the traffic to the node, which rejects it. Without the route it goes to the default
 * gateway, where another machine might answer. The route is removed with the network.
 */
export async function rejectTrafficFromHost(network: Network): Promise<void> {
  await output('ip', 'route', 'add', podAddresses(network), 'via', network.address);
  const [program = '', ...entering] = enter(network);
  const reject = ['-I', 'FORWARD', '-i', 'eth0', '-j', 'REJECT', '--reject-with', 'icmp-host-prohibited'];
  await output(program, ...entering, 'iptables', '--wait', ...reject);
}
