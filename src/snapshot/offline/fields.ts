/**
 * The fields of an APIService and their types, as kube-apiserver decodes them
 * (k8s.io/kube-aggregator/pkg/apis/apiregistration/v1/types.go,
 * k8s.io/apimachinery/pkg/apis/meta/v1/types.go).
 */

/** `bytes` is base64, `any` is not checked. */
export type Shape =
  | 'string'
  | 'bool'
  | 'int32'
  | 'int64'
  | 'bytes'
  | 'any'
  | { readonly map: Shape }
  | { readonly list: Shape }
  | { readonly fields: Readonly<Record<string, Shape>> };

const strings = (...names: readonly string[]): Record<string, Shape> => Object.fromEntries(names.map((name) => [name, 'string']));

const ownerReference: Shape = {
  fields: { ...strings('apiVersion', 'kind', 'name', 'uid'), controller: 'bool', blockOwnerDeletion: 'bool' },
};

const managedFields: Shape = {
  fields: { ...strings('manager', 'operation', 'apiVersion', 'time', 'fieldsType', 'subresource'), fieldsV1: 'any' },
};

const metadata: Shape = {
  fields: {
    ...strings('name', 'generateName', 'namespace', 'selfLink', 'uid', 'resourceVersion', 'creationTimestamp', 'deletionTimestamp'),
    generation: 'int64',
    deletionGracePeriodSeconds: 'int64',
    labels: { map: 'string' },
    annotations: { map: 'string' },
    ownerReferences: { list: ownerReference },
    finalizers: { list: 'string' },
    managedFields: { list: managedFields },
  },
};

const spec: Shape = {
  fields: {
    service: { fields: { ...strings('namespace', 'name'), port: 'int32' } },
    ...strings('group', 'version'),
    insecureSkipTLSVerify: 'bool',
    caBundle: 'bytes',
    groupPriorityMinimum: 'int32',
    versionPriority: 'int32',
  },
};

const status: Shape = {
  fields: { conditions: { list: { fields: strings('type', 'status', 'lastTransitionTime', 'reason', 'message') } } },
};

export const apiServiceShape = { fields: { ...strings('apiVersion', 'kind'), metadata, spec, status } } as const satisfies Shape;
