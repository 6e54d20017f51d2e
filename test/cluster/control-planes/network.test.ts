import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { stringify } from 'yaml';
import { type Backend, listen } from '../harness/backends.ts';
import { program } from '../harness/programs.ts';
import type { Place } from '../harness/run.ts';
import { startProcess } from '../harness/servers.ts';
import { type ControlPlane, type ControlPlaneVariant, describeControlPlane } from './control-plane.ts';

/** Proxies between kube-apiserver and extension API servers: HTTP proxies and konnectivity. */

const proxies: Backend[] = [];
afterAll(() => Promise.all(proxies.map((proxy) => proxy.stop())));

/**
 * A kube-apiserver with an HTTPS_PROXY on the host, which handles every CONNECT request with
 * `answer`.
 */
const withProxy = (answer: (client: Socket) => void): ControlPlaneVariant => ({
  apiserver: async ({ network }) => {
    const server = createServer().on('connect', (_request, client: Socket) => answer(client));
    const proxy = await listen(server, 0, network.hostAddress);
    proxies.push(proxy);
    // kube-apiserver connects to itself at its own address.
    return { env: { HTTPS_PROXY: `http://${network.hostAddress}:${proxy.port}`, NO_PROXY: network.address } };
  },
});

describeControlPlane(
  'a proxy that refuses',
  withProxy((client) => client.end('HTTP/1.1 403 Forbidden\r\n\r\n')),
  [
    {
      name: 'refusing-proxy',
      how: 'HTTPS_PROXY is set for kube-apiserver, and the proxy responds with 403',
      codes: ['network/proxy-in-the-way'],
      make: ({ register }) => register('refusing-proxy'),
      evidence: /: Forbidden$/m,
    },
  ],
);

describeControlPlane(
  'a proxy that hangs up',
  withProxy((client) => client.destroy()),
  [
    {
      name: 'hanging-up-proxy',
      how: 'HTTPS_PROXY is set for kube-apiserver, and the proxy closes every connection',
      codes: ['network/connection-lost'],
      make: ({ register }) => register('hanging-up-proxy'),
      evidence: /EOF$/m,
    },
  ],
);

/**
 * kube-apiserver connects through the proxy server of konnectivity
 * (sigs.k8s.io/apiserver-network-proxy), as on many managed clusters.
 */
const konnectivity: ControlPlaneVariant = {
  apiserver: async ({ stateDir }) => {
    const transport = { uds: { udsName: socketOf({ stateDir }) } };
    const path = join(stateDir, 'egress.yaml');
    await writeFile(
      path,
      stringify({
        apiVersion: 'apiserver.k8s.io/v1beta1',
        kind: 'EgressSelectorConfiguration',
        egressSelections: [{ name: 'cluster', connection: { proxyProtocol: 'GRPC', transport } }],
      }),
    );
    return { flags: [`--egress-selector-config-file=${path}`] };
  },
};

const socketOf = ({ stateDir }: Pick<Place, 'stateDir'>): string => join(stateDir, 'konnectivity.sock');

const startProxyServer = (controlPlane: ControlPlane) =>
  startProcess(
    'konnectivity',
    program(controlPlane.programs, 'proxy-server'),
    [
      '--mode=grpc',
      `--uds-name=${socketOf(controlPlane)}`,
      '--server-port=0',
      '--server-count=1',
      `--cluster-cert=${controlPlane.files.serving.cert}`,
      `--cluster-key=${controlPlane.files.serving.key}`,
    ],
    controlPlane,
  );

describeControlPlane('konnectivity', konnectivity, [
  {
    name: 'no-agent',
    how: 'kube-apiserver uses Konnectivity, but no Konnectivity agent is connected',
    codes: ['network/no-konnectivity-agent'],
    make: async (controlPlane) => {
      controlPlane.keep(startProxyServer(controlPlane));
      return controlPlane.register('no-agent');
    },
    evidence: /No agent available/,
  },
]);
