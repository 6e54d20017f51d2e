import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, connect } from '../../src/cluster/cluster.ts';
import { deleteObject } from '../../src/cluster/deletion.ts';
import { isApplied } from '../../src/cluster/field-owners.ts';
import { getObject } from '../../src/cluster/objects.ts';
import { applyObject, ownedFields, releaseObject, setFields } from '../../src/cluster/ownership.ts';
import { resources } from '../../src/cluster/resources.ts';
import type { KubeObject } from '../../src/manifests/types.ts';
import { kubectlOk } from './harness/projects.ts';
import { cluster as controlPlane } from './harness/provided.ts';

const namespace = 'ownership';
const ref = { resource: resources.ConfigMap, namespace, name: 'shared' };
const { signal } = new AbortController();
let cluster: Cluster;

const configMap = (data: object, labels?: object): KubeObject =>
  ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'shared', namespace, labels }, data }) as KubeObject;

const found = async (): Promise<KubeObject> => (await getObject(cluster, ref, signal)) as KubeObject;
const apply = async (object: KubeObject): Promise<void> => {
  expect(await applyObject(cluster, object, { force: false, dryRun: false, signal })).toMatchObject({ kind: 'applied' });
};
const ours = { 'app.kubernetes.io/managed-by': 'apisvc' };

beforeAll(async () => {
  cluster = await connect({ kubeconfig: controlPlane.kubeconfig }, {}, signal);
  await kubectlOk(['create', 'namespace', namespace]);
});
afterAll(async () => {
  cluster.close();
  await kubectlOk(['delete', 'namespace', namespace, '--wait=false']);
});

test('release removes our fields from the object of another manager, and nothing else', async () => {
  await kubectlOk(['apply', '--server-side', '--field-manager=gitops', '-f', '-'], configMap({ theirs: '1' }));
  await apply(configMap({ ours: '2' }));
  expect(await found()).toMatchObject({ data: { theirs: '1', ours: '2' } });
  await releaseObject(cluster, await found(), signal);
  const released = await found();
  expect(released.data).toEqual({ theirs: '1' });
  expect(isApplied(released)).toBe(false);
});

test('release of an object that was replaced changes nothing', async () => {
  await apply(configMap({ ours: '2' }));
  const before = await found();
  await kubectlOk(['delete', 'configmap', 'shared', '-n', namespace]);
  await expect(releaseObject(cluster, before, signal)).rejects.toThrow(/failed to patch configmap\/ownership\/shared/);
  expect(await getObject(cluster, ref, signal)).toBeUndefined();
});

test('delete removes our object once, never in a dry run, and never another version or its successor', async () => {
  await apply(configMap({ ours: '2' }, ours));
  const first = await found();
  await kubectlOk(['label', 'configmap', 'shared', '-n', namespace, 'theirs=1']);
  expect(await deleteObject(cluster, first, { dryRun: false, signal })).toBe('stale');
  const changed = await found();
  expect(await deleteObject(cluster, changed, { dryRun: true, signal })).toBe('deleted');
  expect(await found()).toEqual(changed);
  expect(await deleteObject(cluster, changed, { dryRun: false, signal })).toBe('deleted');
  expect(await deleteObject(cluster, changed, { dryRun: false, signal })).toBe('gone');
  await apply(configMap({ ours: '3' }, ours));
  expect(await deleteObject(cluster, changed, { dryRun: false, signal })).toBe('stale');
  expect((await found()).data).toEqual({ ours: '3' });
});

test('delete refuses an object without our label', async () => {
  await kubectlOk(['label', 'configmap', 'shared', '-n', namespace, 'app.kubernetes.io/managed-by-']);
  await expect(deleteObject(cluster, await found(), { dryRun: false, signal })).rejects.toThrow('was not created by apisvc');
  expect((await found()).data).toEqual({ ours: '3' });
});

describe('setFields', () => {
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'fields', namespace, labels: ours },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: 'x' } },
      template: {
        metadata: { labels: { app: 'x' } },
        spec: {
          containers: [
            { name: 'one', image: 'x', args: ['b', 'a'], ports: [{ containerPort: 443 }], env: [{ name: 'A', value: '1' }] },
            { name: 'two', image: 'y', volumeMounts: [{ name: 'tls', mountPath: '/tls', readOnly: true }] },
          ],
          volumes: [
            { name: 'tls', secret: { secretName: 's', items: [{ key: 'tls.crt', path: 'tls.crt' }] } },
            { name: 'tmp', emptyDir: {} },
          ],
        },
      },
    },
  } as KubeObject;
  const deploymentRef = { resource: resources.Deployment, namespace, name: 'fields' };
  const live = async (): Promise<KubeObject> => (await getObject(cluster, deploymentRef, signal)) as KubeObject;
  const annotate = (found: KubeObject, value: string) =>
    setFields(
      cluster,
      found,
      { spec: { template: { metadata: { annotations: { 'apisvc.dev/x': value } } } } },
      { force: false, dryRun: false, signal },
    );

  test('changes one field of an object that we applied, and keeps drift and ownership of all others', async () => {
    await apply(deployment);
    const applied = ownedFields(await live());
    // Drift: another value for a field of ours, which somebody took over, and a field of theirs.
    await kubectlOk(['scale', '-n', namespace, 'deployment/fields', '--replicas=2']);
    await kubectlOk(['label', '-n', namespace, 'deployment/fields', 'theirs=1']);
    // The last status of kube-controller-manager: without a scheduler the pods stay pending.
    await kubectlOk(['wait', '-n', namespace, 'deployment/fields', '--for=jsonpath={.status.replicas}=2', '--timeout=60s']);
    const before = await live();
    expect(await annotate(before, 'one')).toMatchObject({ kind: 'applied', restored: [] });
    const after = await live();
    const { 'apisvc.dev/x': value } = (after.spec as typeof deployment.spec & { template: KubeObject }).template.metadata.annotations ?? {};
    expect(value).toBe('one');
    expect(after.spec).toMatchObject({
      ...(before.spec as object),
      template: { spec: (before.spec as { template: KubeObject }).template.spec },
    });
    expect(after.metadata.labels).toEqual({ ...ours, theirs: '1' });
    const added = '"f:template":{"f:metadata":{"f:annotations":{"f:apisvc.dev/x":{}},';
    expect(ownedFields(after)).toContain(added);
    expect(ownedFields(after).replace(added, '"f:template":{"f:metadata":{')).toBe(ownedFields(before));
    expect(applied).toContain('"f:volumes"');
  });

  test('leaves an object alone that changed or was deleted since it was read', async () => {
    const before = await live();
    await kubectlOk(['label', '-n', namespace, 'deployment/fields', 'theirs-', 'more=1']);
    expect(await annotate(before, 'two')).toEqual({ kind: 'stale' });
    await kubectlOk(['delete', '-n', namespace, 'deployment/fields']);
    expect(await annotate(before, 'two')).toEqual({ kind: 'stale' });
    expect(await getObject(cluster, deploymentRef, signal)).toBeUndefined();
  });

  test('changes an object of others without applying it', async () => {
    await kubectlOk(['create', 'configmap', 'theirs', '-n', namespace, '--from-literal=a=1']);
    const theirs = { ...ref, name: 'theirs' };
    const before = (await getObject(cluster, theirs, signal)) as KubeObject;
    const set = (value: string) => setFields(cluster, before, { data: { b: value } }, { force: false, dryRun: false, signal });
    expect(await set('2')).toMatchObject({ kind: 'applied' });
    expect(await set('3')).toEqual({ kind: 'stale' });
    const after = (await getObject(cluster, theirs, signal)) as KubeObject;
    expect(after.data).toEqual({ a: '1', b: '2' });
    expect(isApplied(after)).toBe(false);
  });

  test('an apply, and a change after it, do not conflict with what apisvc patched before', async () => {
    await kubectlOk(['create', 'configmap', 'patched', '-n', namespace, '--from-literal=a=1']);
    const live = async (): Promise<KubeObject> => (await getObject(cluster, { ...ref, name: 'patched' }, signal)) as KubeObject;
    const set = async (a: string) => setFields(cluster, await live(), { data: { a } }, { force: false, dryRun: false, signal });
    const patched = (a: string): KubeObject => ({ ...configMap({ a }), metadata: { name: 'patched', namespace } });
    expect(await set('2')).toMatchObject({ kind: 'applied' });
    expect(isApplied(await live())).toBe(false);
    // The same value: both entries of apisvc own it.
    await apply(patched('2'));
    expect(await set('3')).toMatchObject({ kind: 'applied', restored: [] });
    // Another value.
    await kubectlOk(['delete', 'configmap', 'patched', '-n', namespace]);
    await kubectlOk(['create', 'configmap', 'patched', '-n', namespace, '--from-literal=a=1']);
    expect(await set('2')).toMatchObject({ kind: 'applied' });
    await apply(patched('3'));
    expect((await live()).data).toEqual({ a: '3' });
  });

  test('refuses a field that another manager applied, unless forced', async () => {
    const applied = { ...configMap({ a: '1', b: '1' }), metadata: { name: 'applied', namespace } };
    await kubectlOk(['apply', '--server-side', '--field-manager=gitops', '-f', '-'], applied);
    const live = async (): Promise<KubeObject> => (await getObject(cluster, { ...ref, name: 'applied' }, signal)) as KubeObject;
    const set = async (data: object, force = false) => setFields(cluster, await live(), { data }, { force, dryRun: false, signal });
    const owner = expect.stringMatching(/^conflict with "gitops" at \d{4}-\S+Z$/);
    expect(await set({ a: '2' })).toEqual({ kind: 'conflict', conflicts: [{ field: '.data.a', owner }] });
    expect((await live()).data).toEqual({ a: '1', b: '1' });
    // A field that nobody applied, and a value that stays.
    expect(await set({ a: '1', c: '1' })).toMatchObject({ kind: 'applied' });
    await kubectlOk(['patch', 'configmap', 'applied', '-n', namespace, '--type=merge', '-p', '{"data":{"b":"2"}}']);
    expect(await set({ b: '3' })).toMatchObject({ kind: 'applied' });
    expect(await set({ a: '2' }, true)).toMatchObject({ kind: 'applied' });
    expect((await live()).data).toEqual({ a: '2', b: '3', c: '1' });
  });
});
