import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../../src/manifests/types.ts';
import { inspect } from '../../../../src/pki/inspect.ts';
import { collectContext } from '../../../../src/snapshot/collect/context.ts';
import { collectSecret } from '../../../../src/snapshot/collect/secret.ts';
import type { EndpointProbe, Observed, SecretView } from '../../../../src/snapshot/types.ts';
import { answer, clusterOf, never, notFound } from '../../cluster/kube-api.ts';
import { serverName, servingCertificate } from '../../cluster/listening.ts';

/** The Secret with the serving certificate of a server without the flags of k8s.io/apiserver. */

const { leaf } = await servingCertificate();
const { leaf: other } = await servingCertificate();
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const tls = ({ certificates, key }: typeof leaf) => ({ 'tls.crt': base64(certificates), 'tls.key': base64(key.reveal()) });

const podOf = (args: readonly string[], secrets: readonly string[], name = 'api-0'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'wardle' },
  spec: {
    containers: [{ name: 'server', args, volumeMounts: secrets.map((each) => ({ name: each, mountPath: `/etc/${each}` })) }],
    volumes: secrets.map((each) => ({ name: each, secret: { secretName: each } })),
  },
});
const serves = (certificates: string): EndpointProbe => ({
  at: 'here',
  pod: 'api-0',
  via: 'pod',
  handshake: { kind: 'served', protocol: 'TLSv1.3', certificates: inspect(certificates).certificates },
});

interface Given {
  readonly pods: readonly KubeObject[];
  /** The Secrets that exist. `undefined` stands for one that must not be read. */
  readonly secrets?: Readonly<Record<string, Record<string, string> | 'forbidden'>>;
  readonly probes?: readonly EndpointProbe[];
}

/** @returns the observation, and the names of the Secrets that were read */
async function collect({ pods, secrets = {}, probes = [] }: Given): Promise<{ secret: Observed<SecretView>; read: readonly string[] }> {
  const read: string[] = [];
  const cluster = await clusterOf(({ url }, response) => {
    const name = url.split('/').at(-1) ?? '';
    read.push(name);
    const data = secrets[name];
    const forbidden = { kind: 'Status', status: 'Failure', reason: 'Forbidden', message: `secrets "${name}" is forbidden`, code: 403 };
    if (data === 'forbidden') return answer(response, 403, forbidden);
    return data ? answer(response, 200, { metadata: { name }, data }) : answer(response, 404, notFound(url));
  });
  const [chosen] = pods;
  if (!chosen) throw new Error('no pod');
  const probing = Promise.resolve({ probes: { state: 'seen', value: probes } } as const);
  const secret = await collectSecret(collectContext(cluster, never), { chosen, pods, targetPort: '8443', host: serverName, probing });
  return { secret, read };
}

describe('is found', () => {
  test('by the certificate that is served', async () => {
    const pods = [podOf([], ['odd', 'api']), podOf([], ['odd'], 'api-1'), podOf([], ['api'], 'api-2')];
    const { secret } = await collect({ pods, secrets: { odd: tls(other), api: tls(leaf) }, probes: [serves(other.certificates)] });
    expect(secret).toMatchObject({ state: 'seen', value: { name: 'odd', keyMatches: true, pods: ['api-0', 'api-1'] } });
    expect(JSON.stringify(secret)).not.toContain('PRIVATE KEY');
  });

  test('by the name of the Service, if nothing is served', async () => {
    const data = { ...tls(leaf), 'tls.key': tls(other)['tls.key'] };
    const { secret } = await collect({
      pods: [podOf([], ['password', 'api'])],
      secrets: { password: { x: base64('hunter2') }, api: data },
    });
    expect(secret).toMatchObject({ state: 'seen', value: { name: 'api', keyMatches: false } });
  });

  test('by a flag with another name, though another Secret is not readable', async () => {
    const pods = [podOf(['--cert=/etc/api/tls.crt'], ['password', 'api'])];
    const { secret } = await collect({ pods, secrets: { password: 'forbidden', api: tls(leaf) } });
    expect(secret).toMatchObject({ state: 'seen', value: { name: 'api' } });
  });
});

test('is the one for the server name of kube-apiserver, not the one for other clients', async () => {
  const args = ['--tls-cert-file=/etc/default/tls.crt', '--tls-sni-cert-key=/etc/api/tls.crt,/etc/api/tls.key'];
  const pods = [podOf(args, ['default', 'api'])];
  const served = await collect({ pods, secrets: { default: tls(other), api: tls(leaf) }, probes: [serves(leaf.certificates)] });
  expect(served.secret).toMatchObject({ state: 'seen', value: { name: 'api', keyMatches: true } });
});

describe('is found among the Secrets of all containers', () => {
  const containerOf = (name: string, args: readonly string[], ...volumes: readonly string[]) => ({
    name,
    args,
    volumeMounts: volumes.map((each) => ({ name: each, mountPath: `/${each}` })),
  });
  const volumes = [
    { name: 'api', secret: { secretName: 'api' } },
    { name: 'copy', emptyDir: {} },
  ];
  const found = { state: 'seen', value: { name: 'api', keyMatches: true, pods: ['api-0'] } };

  test('if an init container copies the certificate', async () => {
    const spec = {
      containers: [containerOf('server', ['--tls-cert-file=/copy/tls.crt'], 'copy')],
      initContainers: [containerOf('copy', [], 'copy', 'api')],
      volumes,
    };
    const { secret } = await collect({ pods: [{ ...podOf([], []), spec }], secrets: { api: tls(leaf) } });
    expect(secret).toMatchObject(found);
  });

  test('if one of several containers serves, and nothing tells which', async () => {
    const spec = { containers: [containerOf('proxy', []), containerOf('server', [], 'api')], volumes };
    const { secret } = await collect({ pods: [{ ...podOf([], []), spec }], secrets: { api: tls(leaf) } });
    expect(secret).toMatchObject(found);
  });

  test('if several containers serve', async () => {
    const spec = { containers: [containerOf('a', ['--secure-port=1']), containerOf('b', ['--secure-port=2'], 'api')], volumes };
    const pods = [{ ...podOf([], []), spec }];
    const { secret } = await collect({ pods, secrets: { api: tls(leaf) }, probes: [serves(leaf.certificates)] });
    expect(secret).toMatchObject(found);
  });
});

describe('is not known', () => {
  const none = { state: 'unseen', reason: 'undecided' };

  test.each<[string, Given, object]>([
    [
      'if a Secret that may have it is not readable',
      { pods: [podOf([], ['odd', 'api'])], secrets: { odd: { x: '' }, api: 'forbidden' } },
      { state: 'unseen', reason: 'forbidden', words: expect.stringContaining('"api" is forbidden') },
    ],
    [
      'if several are not readable',
      { pods: [podOf([], ['odd', 'api'])], secrets: { odd: 'forbidden', api: 'forbidden' } },
      { state: 'unseen', reason: 'forbidden', words: expect.stringMatching(/"odd" is forbidden.*; the same for Secret api$/) },
    ],
    [
      'if no mounted Secret has it',
      { pods: [podOf([], ['odd', 'more'])], secrets: { odd: { x: '' }, more: { y: '' } }, probes: [serves(leaf.certificates)] },
      { ...none, words: `no mounted Secret (odd, more) has the certificate that is served, or one for ${serverName}` },
    ],
    [
      'if nothing is served',
      { pods: [podOf([], ['odd'])], secrets: { odd: { x: '' } } },
      { ...none, words: `the mounted Secret odd does not have a certificate for ${serverName}` },
    ],
    [
      'if two Secrets have one',
      { pods: [podOf([], ['one', 'two'])], secrets: { one: tls(leaf), two: tls(other) } },
      { ...none, words: `several mounted Secrets have a certificate for ${serverName}: one, two` },
    ],
  ])('%s', async (_, given, expected) => {
    expect((await collect(given)).secret).toEqual(expected);
  });

  test.each<[string, KubeObject, object]>([
    ['--tls-cert-file', podOf(['--tls-cert-file=/pki/tls.crt'], ['odd']), none],
    ['--cert-dir', podOf(['--cert-dir=/tmp'], ['odd']), { state: 'unseen', reason: 'skipped' }],
  ])('if %s names a place outside of the Secrets, which are then not read', async (_, pod, expected) => {
    const { secret, read } = await collect({ pods: [pod] });
    expect(secret).toMatchObject(expected);
    expect(read).toEqual([]);
  });

  test('and nothing is read if the server mounts no Secret', async () => {
    expect(await collect({ pods: [podOf([], [])] })).toMatchObject({ secret: { reason: 'skipped' }, read: [] });
  });

  test.each([
    ['csi', 'skipped'],
    ['hostPath', 'skipped'],
    ['emptyDir', 'undecided'],
  ])('if --tls-cert-file names a file in a volume of type %s', async (type, reason) => {
    const pod = podOf(['--tls-cert-file=/etc/odd/tls.crt'], ['odd']);
    const changed = { ...pod, spec: { ...(pod.spec as object), volumes: [{ name: 'odd', [type]: {} }] } };
    expect(await collect({ pods: [changed] })).toMatchObject({ secret: { reason }, read: [] });
  });

  test('if several containers serve', async () => {
    const server = (name: string) => ({ name, args: ['--secure-port=1'] });
    const pod = { ...podOf([], []), spec: { containers: [server('a'), server('b')] } };
    expect((await collect({ pods: [pod] })).secret).toMatchObject({ ...none, words: expect.stringContaining('none declares port 8443') });
  });
});

test('a Secret that a flag names and that does not exist is missing, another one is not', async () => {
  const secrets = { odd: { x: '' } };
  expect((await collect({ pods: [podOf(['--cert=/etc/api/tls.crt'], ['odd', 'api'])], secrets })).secret).toEqual({ state: 'absent' });
  expect((await collect({ pods: [podOf([], ['odd', 'api'])], secrets })).secret).toMatchObject({ state: 'unseen' });
  const two = podOf(['--cert=/etc/api/tls.crt', '--server-cert=/etc/odd/tls.crt'], ['odd', 'api']);
  expect((await collect({ pods: [two], secrets })).secret).toMatchObject({ state: 'unseen' });
});
