import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, connect } from '../../src/cluster/cluster.ts';
import { getObject } from '../../src/cluster/objects.ts';
import { applyObject, deleteObject, isApplied, releaseObject } from '../../src/cluster/ownership.ts';
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

test('delete removes our object once, and never its successor', async () => {
  await apply(configMap({ ours: '2' }, ours));
  const first = await found();
  expect(await deleteObject(cluster, first, signal)).toBe(true);
  expect(await deleteObject(cluster, first, signal)).toBe(false);
  await apply(configMap({ ours: '3' }, ours));
  await expect(deleteObject(cluster, first, signal)).rejects.toThrow(/failed to delete configmap\/ownership\/shared/);
  expect((await found()).data).toEqual({ ours: '3' });
});

test('delete refuses an object without our label', async () => {
  await kubectlOk(['label', 'configmap', 'shared', '-n', namespace, 'app.kubernetes.io/managed-by-']);
  await expect(deleteObject(cluster, await found(), signal)).rejects.toThrow('was not created by apisvc');
  expect((await found()).data).toEqual({ ours: '3' });
});
