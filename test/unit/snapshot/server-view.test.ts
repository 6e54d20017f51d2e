import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../src/manifests/types.ts';
import { certificateSource, chooseServer, viewServer } from '../../../src/snapshot/server-view.ts';

/** The view of the server in a pod, and the choice of its container. */

const podOf = (container: object, volumes: readonly object[] = [], more: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'api-0', namespace: 'wardle' },
  spec: { containers: [{ name: 'server', ...container }], volumes, ...more },
  status: {
    startTime: '2026-06-15T10:00:00Z',
    containerStatuses: [{ name: 'server', state: { running: { startedAt: '2026-06-15T11:00:00Z' } } }],
  },
});
const mounted = (mount: object, flags: readonly string[], volume: object = { secret: { secretName: 'api-tls' } }): KubeObject =>
  podOf({ args: flags, volumeMounts: [{ name: 'certs', mountPath: '/certs', ...mount }] }, [{ name: 'certs', ...volume }]);

describe('the Secret of the certificate', () => {
  const source = (certificateEntry: string, keyEntry?: string) => ({ secret: 'api-tls', certificateEntry, keyEntry });
  const usual = source('tls.crt', 'tls.key');

  test.each<[string, KubeObject, object | undefined]>([
    ['a file of it', mounted({}, ['--tls-cert-file=/certs/tls.crt', '--tls-private-key-file=/certs/tls.key']), usual],
    [
      'a file of another name',
      mounted({}, ['--tls-cert-file=/certs/server.pem', '--tls-private-key-file=/certs/server.key']),
      source('server.pem', 'server.key'),
    ],
    ['a subPath, and no key', mounted({ mountPath: '/etc/s.crt', subPath: 'tls.crt' }, ['--tls-cert-file=/etc/s.crt']), source('tls.crt')],
    ['a folder that the server searches', mounted({}, ['--cert-dir=/certs/']), source('apiserver.crt', 'apiserver.key')],
    [
      'an entry under another name',
      mounted({}, ['--cert-dir=/certs'], { secret: { secretName: 'api-tls', items: [{ key: 'tls.crt', path: 'apiserver.crt' }] } }),
      source('tls.crt'),
    ],
    [
      'a part of a projected volume',
      mounted({}, ['--tls-cert-file=/certs/tls.crt'], { projected: { sources: [{ secret: { name: 'api-tls' } }] } }),
      source('tls.crt'),
    ],
    [
      'a named file, though there is a folder to search',
      mounted({}, ['--cert-dir=/certs', '--tls-cert-file=/certs/tls.crt']),
      source('tls.crt'),
    ],
    [
      'a key out of another Secret',
      podOf(
        {
          args: ['--tls-cert-file=/certs/tls.crt', '--tls-private-key-file=/keys/server.key'],
          volumeMounts: [
            { name: 'certs', mountPath: '/certs' },
            { name: 'keys', mountPath: '/keys' },
          ],
        },
        [
          { name: 'certs', secret: { secretName: 'api-tls' } },
          { name: 'keys', secret: { secretName: 'api-key' } },
        ],
      ),
      source('tls.crt'),
    ],
    ['no flag', mounted({}, []), undefined],
    ['a file elsewhere', mounted({}, ['--tls-cert-file=/certsx/tls.crt']), undefined],
    ['a volume that is no Secret', mounted({}, ['--tls-cert-file=/certs/tls.crt'], { emptyDir: {} }), undefined],
  ])('%s', (_, pod, expected) => {
    expect(certificateSource(pod, '8443')).toEqual(expected);
  });
});

describe('several containers', () => {
  const volumes = ['outer', 'inner'].map((name) => ({ name, secret: { secretName: name } }));
  const volumeMounts = (name: string) => [{ name, mountPath: '/certs' }];
  const proxy = { name: 'proxy', args: ['--tls-cert-file=/certs/tls.crt'], volumeMounts: volumeMounts('outer') };
  const main = {
    name: 'server',
    args: ['--secure-port=4443', '--tls-cert-file=/certs/tls.crt', '--secure-port=6443'],
    volumeMounts: volumeMounts('inner'),
  };
  const at = (containerPort: number, name = 'https') => ({ ports: [{ name, containerPort }] });
  const pod = (containers: readonly object[], initContainers: readonly object[] = []): KubeObject =>
    podOf({}, volumes, { containers, initContainers });

  test.each<[string, KubeObject, string | undefined, string | undefined]>([
    ['the one with the port', pod([main, { ...proxy, ...at(8443) }]), '8443', 'outer'],
    ['the one whose port has the name', pod([main, { ...proxy, ...at(8443) }]), 'https', 'outer'],
    ['the one that says so in its last flag', pod([proxy, main]), '6443', 'inner'],
    ['not one whose flag is overridden', pod([proxy, main]), '4443', undefined],
    ['not one with the same port of UDP', pod([{ ...proxy, ports: [{ containerPort: 6443, protocol: 'UDP' }] }, main]), '6443', 'inner'],
    ['the only one that serves', pod([{ name: 'agent' }, main]), '9999', 'inner'],
    ['the only one that serves, whatever the port', pod([{ name: 'agent' }, main]), undefined, 'inner'],
    ['a sidecar that starts first', pod([main], [{ ...proxy, ...at(8443), restartPolicy: 'Always' }]), '8443', 'outer'],
    ['not one that only prepares', pod([main], [{ ...proxy, ...at(8443) }]), '8443', 'inner'],
    ['none where several might', pod([main, proxy]), '8443', undefined],
    ['a proxy without such flags', pod([{ name: 'proxy', ...at(8443) }, main]), '8443', undefined],
  ])('%s', (_, pod, targetPort, expected) => {
    expect(certificateSource(pod, targetPort)?.secret).toBe(expected);
    expect(viewServer(pod, targetPort).secrets.map(({ name }) => name)).toEqual(expected === undefined ? [] : [expected]);
  });

  test('only the flags of the serving container are kept', () => {
    expect(viewServer(pod([main, { ...proxy, ...at(8443) }]), '8443').flags).toEqual(proxy.args);
    expect(viewServer(pod([main, proxy]), '6443').flags).toEqual(main.args);
  });
});

test('the view has the mounts and the start time of the server', () => {
  const pod = mounted({ mountPath: '/etc/s.crt', subPath: 'tls.crt' }, ['--secure-port=1']);
  expect(viewServer(pod, '8443')).toEqual({
    pod: 'api-0',
    serviceAccount: 'default',
    flags: ['--secure-port=1'],
    secrets: [{ name: 'api-tls', mountPath: '/etc/s.crt', subPath: true }],
    startedAt: '2026-06-15T11:00:00Z',
  });
});

test('the view has the only Secret that is named as the one with the certificate', () => {
  const secretOf = (...flags: readonly string[]) => viewServer(mounted({}, flags), '8443').certificateSecret;
  expect(secretOf('--tls-cert-file=/certs/tls.crt')).toBe('api-tls');
  expect(secretOf('--cert=/certs/tls.crt')).toBe('api-tls');
  expect(secretOf('--client-cert=/certs/tls.crt', '--key=/certs/tls.key')).toBeUndefined();
});

test('a pod that no kubelet has started has no start time', () => {
  expect(
    viewServer({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'api-0' }, status: { phase: 'Pending' } }, '8443').startedAt,
  ).toBeUndefined();
});

test('a ready pod is chosen first, a terminating one last', () => {
  const named = (name: string, status: object, metadata: object = {}): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...metadata },
    status,
  });
  const ready = { conditions: [{ type: 'Ready', status: 'True' }], phase: 'Running' };
  const [leaving, pending, running, good] = [
    named('leaving', ready, { deletionTimestamp: 'x' }),
    named('pending', { phase: 'Pending' }),
    named('running', { phase: 'Running' }),
    named('good', ready),
  ];
  expect(chooseServer([leaving, pending, running, good])).toBe(good);
  expect(chooseServer([leaving, pending, running])).toBe(running);
  expect(chooseServer([leaving, pending])).toBe(pending);
  expect(chooseServer([])).toBeUndefined();
});

test.each([
  ['api', { serviceAccountName: 'api' }],
  ['api', { serviceAccount: 'api' }],
  ['api', { serviceAccountName: 'api', serviceAccount: 'other' }],
  ['default', {}],
])('the view has the ServiceAccount %s of %j', (expected, spec) => {
  expect(viewServer(podOf({}, [], spec), '8443').serviceAccount).toBe(expected);
});
