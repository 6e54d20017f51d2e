import { describe, expect, test } from 'vitest';
import { conflictsOf } from '../../../src/cluster/ownership.ts';
import type { KubeObject } from '../../../src/manifests/types.ts';

/** Which fields of a change belong to other managers. */

describe('conflictsOf', () => {
  const entry = (manager: string, operation: string, fieldsV1: object) => ({ manager, operation, apiVersion: 'v1', time: 'T', fieldsV1 });
  const data = { 'f:data': { 'f:a': {}, 'f:b': {} } };
  const secret = (...managedFields: readonly object[]): KubeObject =>
    ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x', managedFields }, data: { a: '1', b: '2' } }) as unknown as KubeObject;
  const change = { data: { a: '1', b: '3', c: '4' } };
  const ours = entry('apisvc', 'Apply', { 'f:data': { 'f:b': {} } });

  test.each<[string, readonly object[], readonly object[]]>([
    ['a manager that applied the field', [entry('argocd', 'Apply', data)], [{ field: '.data.b', owner: 'conflict with "argocd" at T' }]],
    ['a manager that applied another field', [entry('argocd', 'Apply', { 'f:data': { 'f:a': {} } })], []],
    ['a manager that applied the map as an empty one', [entry('argocd', 'Apply', { 'f:data': {} })], []],
    ['updates of an object of others', [entry('kubectl-edit', 'Update', data)], []],
    [
      'updates of an object that apisvc applied',
      [ours, entry('kubectl-edit', 'Update', data)],
      [{ field: '.data.b', owner: 'conflict with "kubectl-edit" using v1 at T' }],
    ],
    ['apisvc itself', [ours], []],
    ['apisvc itself, which patched the object before it applied it', [ours, entry('apisvc', 'Update', data)], []],
    ['no managers', [], []],
  ])('names %s', (_, managers, conflicts) => {
    expect(conflictsOf(secret(...managers), change)).toEqual(conflicts);
  });

  test('leaves out manual edits of a caBundle that apisvc applied, and keeps other ones', () => {
    const fields = { 'f:spec': { 'f:caBundle': {} } };
    const apiService = (manager: string): KubeObject =>
      ({
        ...secret(entry('apisvc', 'Apply', fields), entry(manager, 'Update', fields)),
        kind: 'APIService',
        spec: { caBundle: 'A' },
      }) as unknown as KubeObject;
    expect(conflictsOf(apiService('kubectl-patch'), { spec: { caBundle: 'B' } })).toEqual([]);
    expect(conflictsOf(apiService('kubectl-client-side-apply'), { spec: { caBundle: 'B' } })).toHaveLength(1);
  });
});

describe('a field that a manager applied client-side', () => {
  const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
  const entry = (manager: string, fieldsV1: object) => ({ manager, operation: 'Update', apiVersion: 'v1', time: 'T', fieldsV1 });
  const annotated = { 'f:metadata': { 'f:annotations': { [`f:${annotation}`]: {} } } };
  const apiService = (manifest: string, ...managedFields: readonly object[]): KubeObject =>
    ({
      apiVersion: 'v1',
      kind: 'APIService',
      metadata: { name: 'x', annotations: { [annotation]: manifest }, managedFields },
      spec: { caBundle: 'A', versionPriority: 1 },
    }) as unknown as KubeObject;
  const change = { spec: { caBundle: 'B' } };
  const manifest = '{"spec":{"caBundle":"A"}}';
  const conflicts = [{ field: '.spec.caBundle', owner: 'conflict with "argocd-controller" using v1 at T' }];

  test.each<[string, KubeObject, readonly object[]]>([
    ['is in conflict', apiService(manifest, entry('argocd-controller', annotated)), conflicts],
    [
      'is one conflict if the manager owns it too',
      apiService(
        manifest,
        { ...entry('apisvc', { 'f:spec': { 'f:versionPriority': {} } }), operation: 'Apply' },
        entry('argocd-controller', { ...annotated, 'f:spec': { 'f:caBundle': {} } }),
      ),
      conflicts,
    ],
    ['is not in conflict if the manifest lacks it', apiService('{"spec":{}}', entry('argocd-controller', annotated)), []],
    ['is not in conflict if a user applied it', apiService(manifest, entry('kubectl-client-side-apply', annotated)), []],
    ['is not known from an annotation that cannot be parsed', apiService('{', entry('argocd-controller', annotated)), []],
  ])('%s', (_, object, expected) => {
    expect(conflictsOf(object, change)).toEqual(expected);
  });
});
