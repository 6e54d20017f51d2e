import { afterAll } from 'vitest';
import { enter } from '../../../src/sandbox/real/network.ts';
import { output } from '../../../src/sandbox/shared/command.ts';
import { backendAddress, serveHttp, serveSilence, unusedPort } from '../harness/backends.ts';
import { makeLeaf, pair } from '../harness/certificates.ts';
import { cluster } from '../harness/provided.ts';
import { failedWith, passed } from '../harness/registrations.ts';
import { type Bench, describeFaults, type HandMadeFault, validReply } from './hand-made.ts';
import { serveAlerts, serveCutOff, serveHangUp, serveOldTls } from './odd-servers.ts';

/** Faults between kube-apiserver and the server: Service, endpoints, network, TLS handshake. */

const servingPair = async (name: string, { hostOf, ca }: Bench) => pair(await makeLeaf(hostOf(name), ca));

const rules: (readonly string[])[] = [];
const iptables = async (...rule: readonly string[]): Promise<void> => {
  const [program = '', ...entering] = enter(cluster.network);
  await output(program, ...entering, 'iptables', '--wait', ...rule);
};

/**
 * Applies an iptables rule to the packets of kube-apiserver to a port of the host. apisvc itself
 * runs on the host.
 */
async function interfere(port: number, ...rule: readonly string[]): Promise<number> {
  const whole = ['OUTPUT', '-p', 'tcp', '-d', backendAddress, '--dport', String(port), ...rule];
  await iptables('-I', ...whole);
  rules.push(whole);
  return port;
}

// A server of another file may get the port next.
afterAll(async () => {
  for (const rule of rules) await iptables('-D', ...rule);
});

/** No host answers ARP requests for this address. */
const unusedAddress = backendAddress.replace(/\.1$/, '.77');

/** The port whose packets are dropped after kube-apiserver checked the API. */
let droppedSince = 0;

/**
 * A connection that kube-apiserver cannot open. On a busy machine, net/http says only
 * "Client.Timeout exceeded while awaiting headers", which it also says of a request without an
 * answer. Then verify reports discovery/no-answer.
 */
const notConnected = failedWith('(while waiting for connection|context deadline exceeded$|timed out|i/o timeout)');

const faults: readonly HandMadeFault[] = [
  {
    name: 'no-service',
    how: 'the Service does not exist',
    codes: ['service/missing'],
    condition: /^False ServiceNotFound service\/no-service in "transport" is not present/,
    make: async (name, bench) => ({ port: await bench.serve(name), without: ['service', 'slice'] }),
  },
  {
    name: 'wrong-port',
    how: 'the Service has no port with the number in spec.service.port of the APIService',
    codes: ['service/port-missing'],
    condition: /^False ServicePortError .* is not listening on port 443/,
    make: async (name, bench) => ({ port: await bench.serve(name), servicePort: { port: 8443 } }),
  },
  {
    name: 'udp-port',
    how: 'the port of the Service has protocol UDP',
    codes: ['service/not-tcp'],
    // With --enable-aggregator-routing, kube-apiserver connects to the endpoints.
    condition: cluster.cell.aggregatorRouting ? passed : notConnected,
    make: async (name, bench) => ({ port: await bench.serve(name), servicePort: { protocol: 'UDP' } }),
  },
  {
    name: 'no-endpoints',
    how: 'the Service has no EndpointSlice',
    codes: ['endpoints/none'],
    condition: /^False EndpointsNotFound/,
    make: async (name, bench) => ({ port: await bench.serve(name), without: ['slice'] }),
  },
  {
    name: 'not-ready',
    how: 'the only endpoint is not ready',
    codes: ['endpoints/not-ready'],
    condition: /^False MissingEndpoints/,
    make: async (name, bench) => ({ port: await bench.serve(name), ready: false }),
  },
  {
    name: 'port-name',
    how: 'the ports of the Service and the EndpointSlice have different names',
    codes: ['endpoints/port-name-mismatch'],
    condition: /^False MissingEndpoints .*port name "https"/,
    make: async (name, bench) => ({ port: await bench.serve(name), servicePort: { name: 'https' }, slicePort: { name: 'web' } }),
  },
  {
    name: 'stopped',
    how: 'nothing listens at the endpoint',
    codes: ['endpoints/connection-refused'],
    condition: failedWith('connection refused'),
    make: async () => ({ port: await unusedPort() }),
  },
  {
    name: 'plain-http',
    how: 'the server serves plain HTTP',
    codes: ['endpoints/not-tls'],
    condition: failedWith('server gave HTTP response to HTTPS client'),
    make: async (name, bench) => ({ port: await bench.keep(serveHttp(validReply(name))) }),
  },
  {
    name: 'hangs-up',
    how: 'the server closes every connection before the TLS handshake',
    codes: ['endpoints/handshake-failed'],
    condition: failedWith('(EOF|connection reset by peer)'),
    make: async (_, bench) => ({ port: await bench.keep(serveHangUp()) }),
  },
  {
    name: 'no-certificate',
    how: 'the server has no certificate, and aborts the TLS handshake with an alert',
    codes: ['endpoints/handshake-failed'],
    condition: failedWith('remote error: tls: handshake failure'),
    make: async (_, bench) => ({ port: await bench.keep(serveAlerts()) }),
  },
  {
    name: 'old-tls',
    how: 'the server supports only TLS 1.1 and older',
    codes: ['endpoints/tls-too-old'],
    condition: failedWith('tls: (protocol version not supported|server selected unsupported protocol version)'),
    make: async (name, bench) => ({ port: await bench.keep(serveOldTls(await servingPair(name, bench))) }),
  },
  {
    name: 'silent',
    how: 'the server accepts connections, but sends nothing',
    codes: ['endpoints/handshake-timeout'],
    condition: failedWith('(Client.Timeout exceeded|context deadline exceeded|timed out)'),
    make: async (_, bench) => ({ port: await bench.keep(serveSilence()) }),
  },
  {
    name: 'dropped',
    how: 'iptables drops packets from kube-apiserver to the server',
    codes: ['network/timeout'],
    condition: notConnected,
    make: async (name, bench) => ({ port: await interfere(await bench.serve(name), '-j', 'DROP') }),
  },
  {
    name: 'dropped-since',
    how: 'iptables drops packets from kube-apiserver to the server, but the condition is still True',
    codes: ['discovery/no-answer'],
    condition: passed,
    make: async (name, bench) => {
      droppedSince = await bench.serve(name);
      return { port: droppedSince };
    },
    beforeVerify: () => interfere(droppedSince, '-j', 'DROP'),
  },
  {
    name: 'no-route',
    how: 'no host has the address of the endpoint',
    codes: ['network/no-route'],
    condition: failedWith('no route to host'),
    make: async (name, bench) => ({ port: await bench.serve(name), host: unusedAddress }),
  },
  {
    name: 'cut-off',
    how: 'the server closes the connection after it receives a request',
    codes: ['network/connection-lost'],
    notChecked: ['an anonymous request to an endpoint', 'a request with forged X-Remote-* headers to an endpoint'],
    condition: failedWith('EOF'),
    make: async (name, bench) => ({ port: await bench.keep(serveCutOff(await servingPair(name, bench))) }),
  },
  {
    name: 'reset-on-the-way',
    how: 'a firewall resets connections from kube-apiserver when they carry data',
    codes: ['network/connection-lost'],
    condition: failedWith('connection reset by peer'),
    make: async (name, bench) => ({
      port: await interfere(await bench.serve(name), '-m', 'length', '--length', '100:', '-j', 'REJECT', '--reject-with', 'tcp-reset'),
    }),
  },
];

describeFaults('transport', faults);
