import { setMaxListeners } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, connect } from '../../../src/cluster/cluster.ts';
import { dialEndpoint } from '../../../src/cluster/dial.ts';
import { lastLogLines } from '../../../src/cluster/logs.ts';
import { forwardPort } from '../../../src/cluster/port-forward.ts';
import { kubectl } from '../harness/commands.ts';
import { kubectlOk } from '../harness/projects.ts';
import { cluster } from '../harness/provided.ts';
import { userKubeconfig } from '../harness/users.ts';

const namespace = 'port-forward-spec';
const inNamespace = ['--namespace', namespace];
const { signal } = new AbortController();
setMaxListeners(0, signal);

/**
 * A pod with etcd, which generates a serving certificate with the subject `O=etcd`.
 * @param address - the address that etcd binds to
 */
const etcd = (name: string, address: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'etcd',
        image: 'registry.k8s.io/etcd:3.7.0-0',
        env: [{ name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
        args: [
          '--data-dir=/data/etcd',
          '--auto-tls',
          `--listen-client-urls=https://${address}:2379`,
          `--advertise-client-urls=https://${address}:2379`,
        ],
        // Without a request, it would have no processor time while other pods start.
        resources: { requests: { cpu: '100m' } },
        readinessProbe: { tcpSocket: { port: 2379 }, periodSeconds: 1 },
        volumeMounts: [{ name: 'data', mountPath: '/data' }],
      },
    ],
    volumes: [{ name: 'data', emptyDir: {} }],
  },
});

const crashing = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'crashing', namespace },
  spec: { containers: [{ name: 'etcd', image: 'registry.k8s.io/etcd:3.7.0-0', args: ['--no-such-flag'] }] },
};

const unscheduled = { ...crashing, metadata: { name: 'unscheduled', namespace }, spec: { ...crashing.spec, nodeSelector: { no: 'such' } } };

let admin: Cluster;
beforeAll(async () => {
  admin = await connect({ kubeconfig: cluster.kubeconfig }, {}, signal);
  await kubectlOk(['create', 'namespace', namespace]);
  for (const pod of [etcd('everywhere', '0.0.0.0'), etcd('own-address', '$(POD_IP)'), crashing, unscheduled]) {
    await kubectlOk(['apply', '-f', '-'], pod);
  }
  await kubectlOk(['wait', ...inNamespace, '--for=condition=Ready', 'pod/everywhere', 'pod/own-address', '--timeout=85s']);
});

afterAll(async () => {
  admin.close();
  await kubectl(['delete', 'namespace', namespace]);
});

/**
 * The kernel has no route to this multicast address, so the connection is possible only through the
 * pod.
 */
const address = '224.0.0.1';
const dial = (pod: string, port = 2379, as = admin) =>
  dialEndpoint(as, { namespace, pod, address, port, serverName: `api.${namespace}.svc` }, signal);

describe('a pod', () => {
  test('serves its certificate to concurrent connections', async () => {
    const served = { kind: 'served', protocol: 'TLSv1.3', certificates: [{ subject: 'O=etcd' }], via: 'pod' };
    expect(await Promise.all(Array.from({ length: 8 }, () => dial('everywhere')))).toMatchObject(Array.from({ length: 8 }, () => served));
  });

  test('is reached by a request that the trace shows', async () => {
    const lines: string[] = [];
    const traced = await connect({ kubeconfig: cluster.kubeconfig, trace: (line) => lines.push(line) }, {}, signal);
    try {
      await dial('everywhere', 2379, traced);
    } finally {
      traced.close();
    }
    const path = `/api/v1/namespaces/${namespace}/pods/everywhere/portforward`;
    expect(lines).toEqual([
      expect.stringMatching(new RegExp(`^GET https://\\S+${path}\\S* 101 Switching Protocols in \\d+ milliseconds$`)),
    ]);
  });

  test('refuses connections to a port where nothing listens', async () => {
    expect(await dial('everywhere', 9)).toEqual({ kind: 'failed', fault: 'refused', words: 'connection refused by the pod', via: 'pod' });
  });

  test('with a server that does not listen on localhost is not reported as refusing connections', async () => {
    const words = 'connection refused by localhost in the pod, but kube-apiserver gets a response from the pod';
    expect(await dial('own-address')).toEqual({ kind: 'failed', fault: 'no-forward', words, via: 'pod' });
  });

  test.each([
    ['unscheduled', 'HTTP status 400: pod unscheduled does not have a host assigned'],
    ['gone', 'HTTP status 404: pods "gone" not found'],
  ])('that is %s is reported with the reason', async (pod, why) => {
    const words = `failed to port-forward to pod ${namespace}/${pod}: ${why}`;
    expect(await dial(pod)).toEqual({ kind: 'failed', fault: 'no-forward', words, via: 'pod' });
  });

  test('closes the stream when it is deleted', async () => {
    const stream = await forwardPort(admin, { namespace, pod: 'own-address', port: 2380 }, signal);
    const ended = new Promise((resolve) =>
      stream
        .resume()
        .once('close', resolve)
        .on('error', () => {}),
    );
    await kubectlOk(['delete', ...inNamespace, 'pod', 'own-address', '--wait=false']);
    await ended;
    expect(stream.destroyed).toBe(true);
  });
});

test('forwarding a port requires get and create on pods/portforward, and the error says so', async () => {
  const jane = await connect({ kubeconfig: await userKubeconfig('jane') }, {}, signal);
  const grant = async (verb: string): Promise<void> => {
    await kubectlOk(['create', ...inNamespace, 'role', verb, `--verb=${verb}`, '--resource=pods/portforward']);
    await kubectlOk(['create', ...inNamespace, 'rolebinding', verb, `--role=${verb}`, '--user=jane']);
  };
  const forbidden = {
    fault: 'no-forward',
    words: expect.stringMatching(
      /^not allowed to port-forward to pod .* Grant this RBAC rule: Role in namespace port-forward-spec: \{apiGroups: \[""\], resources: \[pods\/portforward\], verbs: \[get, create\]\}$/,
    ),
  };
  expect(await dial('everywhere', 2379, jane)).toMatchObject(forbidden);
  await grant('get');
  expect(await dial('everywhere', 2379, jane)).toMatchObject(forbidden);
  await grant('create');
  // The caches of RBAC are updated after a moment.
  await expect.poll(() => dial('everywhere', 2379, jane), { timeout: 60_000 }).toMatchObject({ kind: 'served', via: 'pod' });
  jane.close();
});

test('for a user who cannot get the pod, the error only says that localhost refused the connection', async () => {
  const words = 'connection refused by localhost in the pod';
  const jack = await connect({ kubeconfig: await userKubeconfig('jack') }, {}, signal);
  const name = 'forward-only';
  await kubectlOk(['create', ...inNamespace, 'role', name, '--verb=get,create', '--resource=pods/portforward']);
  await kubectlOk(['create', ...inNamespace, 'rolebinding', name, `--role=${name}`, '--user=jack']);
  await expect
    .poll(() => dial('everywhere', 9, jack), { timeout: 60_000 })
    .toEqual({ kind: 'failed', fault: 'localhost-refused', words, via: 'pod' });
  jack.close();
});

describe('the last lines of a log', () => {
  const read = (pod: string, previous = false) => lastLogLines(admin, { namespace, pod, container: 'etcd', previous, lines: 1 }, signal);

  test('of a running and of a crashed container', async () => {
    expect(await read('everywhere')).toEqual({ kind: 'lines', lines: [expect.stringContaining('"level"')] });
    await expect.poll(() => read('crashing'), { timeout: 60_000 }).toEqual({ kind: 'lines', lines: [expect.stringMatching(/\S/)] });
  });

  test.each([
    ['everywhere', true, 'previous terminated container "etcd" in pod "everywhere" not found'],
    ['unscheduled', false, 'the pod is not scheduled yet'],
    ['gone', false, 'pods "gone" not found'],
  ])('are not available for pod %s (previous: %s): %s', async (pod, previous, words) => {
    expect(await read(pod, previous)).toEqual({ kind: 'none', words });
  });
});
