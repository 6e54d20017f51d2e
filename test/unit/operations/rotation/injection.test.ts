import { expect, test } from 'vitest';
import { fieldManagers, fieldOwner } from '../../../../src/cluster/managed-fields.ts';
import type { KubeObject } from '../../../../src/manifests/types.ts';
import { bundleFault } from '../../../../src/operations/rotation/injection.ts';

const path = ['spec', 'caBundle'];
const entry = (manager: string, time: string, ...fields: string[]) => ({
  manager,
  operation: 'Update',
  time,
  fieldsV1: { 'f:spec': Object.fromEntries(fields.map((field) => [field, {}])) },
});

const apiService = ({ annotations = {}, spec = {}, managedFields = [] as readonly object[] }): KubeObject => ({
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  metadata: { name: 'v1.example.com', annotations, managedFields } as KubeObject['metadata'],
  spec,
});

test('the owner of a field is the manager that wrote it last', () => {
  const managedFields = [
    entry('apisvc', '2026-11-28T11:00:00Z', 'f:caBundle'),
    entry('kubectl-edit', '2026-11-28T12:00:00Z', 'f:caBundle', 'f:group'),
    entry('argocd', '2026-11-28T13:00:00Z', 'f:group'),
  ];
  expect(fieldOwner(apiService({ managedFields }), path)).toBe('"kubectl-edit" at 2026-11-28T12:00:00Z');
  expect(fieldManagers(apiService({ managedFields }), path)).toEqual(['apisvc', 'kubectl-edit']);
  expect(fieldOwner(apiService({}), path)).toBe('an unknown field manager');
});

test.each([
  [
    { annotations: { 'cert-manager.io/inject-ca-from': 'a/b' } },
    /annotation cert-manager\.io\/inject-ca-from: a controller writes its caBundle/,
  ],
  [{ annotations: { 'service.beta.openshift.io/inject-cabundle': 'true' } }, /a controller writes its caBundle/],
  [
    { managedFields: [entry('cainjector', '2026-11-28T11:00:00Z', 'f:caBundle')] },
    /the caBundle of apiservice\/v1\.example\.com belongs to "cainjector"/,
  ],
  [{ spec: { insecureSkipTLSVerify: true } }, /has insecureSkipTLSVerify/],
])('the CA of an APIService whose caBundle is not ours is not rotated: %j', (parts, message) => {
  expect(bundleFault(apiService(parts))?.message).toMatch(message);
});

test('the caBundle of any other APIService may change', () => {
  expect(bundleFault(apiService({ managedFields: [entry('apisvc', '2026-11-28T11:00:00Z', 'f:caBundle')] }))).toBeUndefined();
});
