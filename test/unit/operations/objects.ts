import type { KubeObject } from '../../../src/manifests/types.ts';

/** Objects as kube-apiserver returns them. */

export const service: KubeObject = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'api', namespace: 'wardle' }, spec: { a: 1 } };

export const apiService: KubeObject = {
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  metadata: { name: 'v1.example.com' },
  spec: {
    group: 'example.com',
    version: 'v1',
    groupPriorityMinimum: 1000,
    versionPriority: 15,
    service: { name: 'api', namespace: 'wardle', port: 443 },
  },
};

/** Adds metadata to an object. */
export const withMetadata = (object: KubeObject, metadata: object): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, ...metadata },
});

export const withAvailable = (status: 'True' | 'False', reason: string, message: string): KubeObject => ({
  ...apiService,
  status: { conditions: [{ type: 'Available', status, reason, message, lastTransitionTime: '2026-06-15T12:00:00Z' }] },
});

/** Metadata with the managers that applied or updated an object. */
export const managedBy = (...managers: readonly (readonly [manager: string, operation: 'Apply' | 'Update'])[]): object => ({
  managedFields: managers.map(([manager, operation]) => ({ manager, operation })),
});
