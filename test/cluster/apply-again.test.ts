import { afterAll, describe, expect, test } from 'vitest';
import { ownServer, type PresetName, presetNames } from '../../src/config/presets.ts';
import { apisvc, kubectl } from './harness/commands.ts';
import { editConfiguration, emptyFolder, kubectlOk } from './harness/projects.ts';
import { registered, removeProjects } from './harness/registered.ts';
import { isShort } from './harness/thorough.ts';

/** What GitOps tools and people with kubectl do with the manifests that apisvc renders. */

afterAll(removeProjects);

const render = async (dir: string): Promise<string> => {
  const { exitCode, stdout } = await apisvc(['render', '-C', dir, '--secrets', 'include']);
  expect(exitCode).toBe(0);
  return stdout;
};

/** Runs kubectl with the manifests. @returns the lines that it prints */
async function withManifests(args: readonly string[], manifests: string): Promise<string[]> {
  const { exitCode, stdout, stderr } = await kubectl([...args, '-f', '-'], { input: manifests });
  expect({ args, exitCode, output: exitCode === 0 ? '' : stdout + stderr }).toEqual({ args, exitCode: 0, output: '' });
  return stdout.split('\n').filter((line) => line !== '');
}

/**
 * Expects that kubectl diff shows nothing. It reads each object twice, and a controller may write
 * the status of a new one in between.
 */
async function expectNoDiff(manifests: string, ...flags: readonly string[]): Promise<void> {
  const diff = async () => {
    const { exitCode, stdout, stderr } = await kubectl(['diff', ...flags, '-f', '-'], { input: manifests });
    return { exitCode, stdout, stderr };
  };
  await expect.poll(diff, { timeout: 60_000, interval: 500 }).toEqual({ exitCode: 0, stdout: '', stderr: '' });
}

/**
 * Applies again; only changes are listed. kubectl sends every PodDisruptionBudget again, because
 * its selector has the patch strategy `replace` (apimachinery pkg/util/strategicpatch/patch.go,
 * handleMapDiff); the diff shows whether that changes anything.
 */
const applyAgain = async (manifests: string): Promise<string[]> =>
  (await withManifests(['apply'], manifests)).filter((line) => !/ unchanged$|^poddisruptionbudget\./.test(line));

/** Every field of apisvc.yaml whose Kubernetes form has defaults or empty values of its own. */
const everything = {
  hostNetwork: false,
  probes: { startup: { path: '/readyz', periodSeconds: 2 } },
  strategy: { rollingUpdate: { maxSurge: 2 } },
  networkPolicy: {
    ingress: [{ ports: [{ port: 8443 }] }],
    egress: [{ to: [{ podSelector: {} }], ports: [{ port: 53, protocol: 'UDP' }] }, {}],
  },
  podDisruptionBudget: { maxUnavailable: 1 },
  configMaps: [{ name: 'settings', data: { 'a.yaml': 'a: 1\n' } }],
  volumes: [
    { name: 'settings', configMap: { name: 'settings' } },
    { name: 'tmp', emptyDir: {} },
  ],
  volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
  env: [
    { name: 'EMPTY', value: '' },
    { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
  ],
  sidecars: [{ name: 'etcd', image: 'etcd', env: [{ name: 'EMPTY', value: '' }], ports: [{ containerPort: 2379 }] }],
  initContainers: [{ name: 'first', image: 'first' }],
  tolerations: [{ key: 'a', operator: 'Exists' }],
  extraPorts: [{ name: 'metrics', containerPort: 9090 }],
  rbac: {
    rules: [{ apiGroups: [''], resources: ['pods'], resourceNames: [], verbs: ['get'] }],
    grant: {
      to: [
        { kind: 'ServiceAccount', name: 'client', namespace: 'clients' },
        { kind: 'User', name: 'jane' },
        { kind: 'Group', name: 'team' },
      ],
      rules: [{ apiGroups: ['example.com'], resources: ['things'], verbs: ['get'] }],
    },
  },
};
const outside = { external: { addresses: ['192.0.2.1', '2001:db8::1'], port: 9443 } };

/**
 * One preset without a Deployment. The case `everything` has what the others have, and the unit
 * tests of the manifests find in every preset what kube-apiserver would drop.
 */
const presets: readonly PresetName[] = isShort ? ['metrics-server-existing'] : presetNames;

const cases: readonly (readonly [name: string, preset: PresetName, server: object])[] = [
  ...presets.map((preset) => [preset, preset, {}] as const),
  ['everything', 'custom', everything],
  ['outside', 'custom', outside],
];

describe.each(cases)('the rendered manifests of %s', (name, preset, server) => {
  const namespace = `again-${name}`;
  const dir = emptyFolder();
  const apiService = `v1.${namespace}.example.com`;

  afterAll(async () => {
    await kubectl(['delete', 'apiservice', apiService, '--ignore-not-found']);
    await kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--wait=false']);
    const labels = `app.kubernetes.io/managed-by=apisvc,app.kubernetes.io/name=${namespace}`;
    await kubectl(['delete', 'clusterroles,clusterrolebindings,rolebindings', '-n', 'kube-system', '-l', labels]);
  });

  test('stay unchanged when kubectl applies them again, and have no diff', async () => {
    const identity = ['--name', namespace, '--namespace', namespace, '--api', `${namespace}.example.com/v1`];
    const image = ownServer(preset) ? ['--image', 'example.com/server:1'] : [];
    expect(await apisvc(['init', dir, '--preset', preset, ...identity, ...image, '--yes'])).toMatchObject({ exitCode: 0, stderr: '' });
    editConfiguration(dir, (document) => {
      if ('external' in server) document.setIn(['spec', 'server'], document.createNode(server));
      else for (const [key, value] of Object.entries(server)) document.setIn(['spec', 'server', key], document.createNode(value));
    });
    const manifests = await render(dir);
    if (preset === 'metrics-server-existing') await kubectlOk(['create', 'namespace', namespace]);

    // As `apisvc register` applies them.
    const register = ['apply', '--server-side', '--field-manager=apisvc'];
    await withManifests(register, manifests);
    await expectNoDiff(manifests);

    // The first apply adds the annotation with the applied configuration.
    await withManifests(['apply'], manifests);
    expect(await applyAgain(manifests)).toEqual([]);
    await expectNoDiff(manifests);
    await expectNoDiff(manifests, '--server-side', '--field-manager=apisvc');
  });
});

test('the manifests of a registered API stay unchanged, and register again changes nothing', async () => {
  const { dir } = await registered('again-registered');
  const manifests = await render(dir);
  await expectNoDiff(manifests);
  expect(await apisvc(['register'], { cwd: dir })).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^Nothing changed: /) });
  await withManifests(['apply'], manifests);
  expect(await applyAgain(manifests)).toEqual([]);
  expect(await apisvc(['register'], { cwd: dir })).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^Nothing changed: /) });
  expect(await applyAgain(manifests)).toEqual([]);
});
