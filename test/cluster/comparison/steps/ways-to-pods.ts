import type { KubeObject } from '../../../../src/manifests/types.ts';
import { notSimulated } from '../../../../src/sandbox/shared/failure.ts';
import { serveHttp } from '../../harness/backends.ts';
import { handMade } from '../../harness/registrations.ts';
import { inShort } from '../client.ts';
import type { Step } from '../step.ts';
import { until } from '../until.ts';
import { expectStatus, namespace, unservedPort, type World } from '../world.ts';
import { serveEcho } from './extension-server.ts';

/**
 * kube-apiserver as a proxy to Services and Pods: nobody verifies certificates there, and no
 * identity is passed on.
 */

const pods = `/api/v1/namespaces/${namespace}/pods`;

const pod = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace },
  spec: { containers: [{ name: 'server', image: 'none', ports: [{ containerPort: 1 }] }] },
});

/** Says of a Pod what a kubelet would: that it runs, and has this address. */
const run = ({ admin, name, host }: World) => {
  const status = { phase: 'Running', podIP: host, podIPs: [{ ip: host }] };
  return expectStatus(200, admin.ask('PATCH', `${pods}/${name}/status`, { body: { status }, contentType: 'application/merge-patch+json' }));
};

/**
 * An HTTPS server in the place of a Pod, and a Service in front of it. It goes to addresses of Pods
 * alone; until 1.36 by Endpoints, since then by EndpointSlices.
 */
async function service(world: World): Promise<void> {
  const { name, create, host, keep, certificate, admin } = world;
  const port = await keep(serveEcho(await certificate(), name, host));
  const { service, slice } = handMade({
    namespace,
    service: name,
    port,
    ca: '',
    host,
    servicePort: { name: 'https' },
    slicePort: { name: 'https' },
  });
  const targetRef = { kind: 'Pod', name, namespace };
  await create(pod(name));
  await run(world);
  await create(service, { ...slice, endpoints: [{ ...slice.endpoints[0], targetRef }] });
  const subsets = [{ addresses: [{ ip: host, targetRef }], ports: [{ name: 'https', port }] }];
  await expectStatus(201, admin.ask('POST', `/api/v1/namespaces/${namespace}/endpoints`, { body: { metadata: { name }, subsets } }));
}

const nothingRuns = 'nothing can be run in the containers of the sandbox beside what they are for';

export const waysToPods: readonly Step[] = [
  {
    name: 'service-proxy',
    differs: [
      {
        reason: 'the words are those of 1.37',
        on: '1.35',
        at: 'otherPort.body.message',
        real: 'no endpoints available for service "https:service-proxy:web"',
        simulated: 'no endpoints available for service "service-proxy"',
      },
    ],
    run: async (world) => {
      await service(world);
      const { admin, name } = world;
      const path = `/api/v1/namespaces/${namespace}/services`;
      const get = (service: string, rest: string) => admin.ask('GET', `${path}/${service}/proxy${rest}`);
      return {
        byName: await until(() => get(`https:${name}:https`, `/apis/${name}.example.com/v1/things?a=b`), 503),
        byNumber: await get(`https:${name}:443`, `/apis/${name}.example.com/v1/things`),
        posted: await admin.ask('POST', `${path}/https:${name}:https/proxy/apis/${name}.example.com/v1/x`, { body: { a: 'b' } }),
        otherPort: await get(`https:${name}:web`, '/'),
        missing: await get('https:missing:443', '/'),
        badScheme: await get(`ftp:${name}:https`, '/'),
        plain: await get(`${name}:https`, '/'),
      };
    },
  },
  {
    name: 'pod-proxy',
    run: async (world) => {
      const { admin, name, create, host, keep, certificate } = world;
      const [https, http] = [
        await keep(serveEcho(await certificate(), name, host)),
        await keep(serveHttp({ body: { hello: 'plain' } }, host)),
      ];
      await create(pod(name));
      const pending = await admin.ask('GET', `${pods}/https:${name}:${https}/proxy/`);
      await run(world);
      const get = (pod: string, rest: string) => admin.ask('GET', `${pods}/${pod}/proxy${rest}`);
      return {
        pending,
        https: await get(`https:${name}:${https}`, `/apis/${name}.example.com/v1/things`),
        http: await get(`${name}:${http}`, '/x'),
        explicitHttp: await get(`http:${name}:${http}`, '/x?y=z'),
        plainToTls: await get(`${name}:${https}`, '/x'),
        refused: await get(`${name}:${unservedPort}`, '/'),
        missing: await get('missing:80', '/'),
      };
    },
  },
  {
    name: 'pod-without-node',
    differs: [
      { reason: nothingRuns, at: 'exec.status', real: 400, simulated: 501 },
      {
        reason: nothingRuns,
        at: 'exec.message',
        real: 'pod pod-without-node does not have a host assigned',
        simulated: notSimulated('Requests to pods/exec').message,
      },
    ],
    run: async ({ admin, name, create }) => {
      await create(pod(name));
      const path = `${pods}/${name}`;
      return {
        log: await admin.ask('GET', `${path}/log`),
        logOfContainer: await admin.ask('GET', `${path}/log?container=other`),
        portForward: await admin.upgrade(`${path}/portforward?ports=80`, ''),
        exec: inShort(await admin.upgrade(`${path}/exec?command=sh`, '')),
        missing: await admin.ask('GET', `${path}-missing/log`),
        deleted: (await admin.ask('DELETE', path)).status,
      };
    },
  },
];
