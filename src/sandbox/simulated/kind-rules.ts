import { isDeepStrictEqual } from 'node:util';
import { dns1123Label, dns1123Subdomain, labelFault } from '../../config/names.ts';
import { ApiFailure } from '../shared/failure.ts';
import { checkBase64, prepareApiService } from './api-service.ts';
import { type Fault, nameFaults, required, wrong } from './faults.ts';
import { coreKind } from './kinds.ts';
import { serviceFaults, withAddress, withServiceDefaults } from './services.ts';
import type { Kind, Obj, Store } from './types.ts';

// Defaults and validation of k8s.io/kubernetes/pkg/registry and pkg/apis, as far as a registration
// and its server depend on them.

/** The protocol of a port is part of its key for server-side apply. */
const withProtocol = (ports: readonly Obj[]): Obj => ports.map((port) => ({ ...port, protocol: port.protocol ?? 'TCP' }));
const withPorts = (holder: Obj): Obj => (holder.ports ? { ...holder, ports: withProtocol(holder.ports) } : holder);
const withContainers = (spec: Obj): Obj => (spec?.containers ? { ...spec, containers: spec.containers.map(withPorts) } : spec);

const withTemplate = ({ spec = {}, ...rest }: Obj): Obj => ({
  ...rest,
  spec: {
    ...spec,
    replicas: spec.replicas ?? 1,
    ...(spec.template ? { template: { ...spec.template, spec: withContainers(spec.template.spec) } } : {}),
  },
});

const rollingUpdate = { maxUnavailable: '25%', maxSurge: '25%' };

function withRollout(object: Obj): Obj {
  const { spec, ...rest } = withTemplate(object);
  const { type = 'RollingUpdate', ...strategy } = spec.strategy ?? {};
  const complete =
    type === 'RollingUpdate' ? { type, rollingUpdate: { ...rollingUpdate, ...strategy.rollingUpdate } } : { type, ...strategy };
  return { ...rest, spec: { revisionHistoryLimit: 10, progressDeadlineSeconds: 600, ...spec, strategy: complete } };
}

const rbacGroup = 'rbac.authorization.k8s.io';

/** Fills in the API group of the role and, except for ServiceAccounts, of the subjects. */
function withRbacGroups({ subjects, roleRef, ...rest }: Obj): Obj {
  const withGroup = (subject: Obj): Obj => (subject.kind === 'ServiceAccount' ? subject : { apiGroup: rbacGroup, ...subject });
  return { ...rest, ...(subjects && { subjects: subjects.map(withGroup) }), roleRef: { apiGroup: rbacGroup, ...roleRef } };
}

function withSecretData({ stringData = {}, data = {}, type = 'Opaque', ...rest }: Obj): Obj {
  for (const value of Object.values(data)) checkBase64('Secret', String(value));
  const encoded = Object.entries<string>(stringData).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  const all = { ...data, ...Object.fromEntries(encoded) };
  return { ...rest, ...(Object.keys(all).length > 0 ? { data: all } : {}), type };
}

const defaults: Readonly<Record<string, (object: Obj, old: Obj | undefined, now: Date) => Obj>> = {
  APIService: prepareApiService,
  ClusterRoleBinding: withRbacGroups,
  Deployment: withRollout,
  EndpointSlice: ({ endpoints = [], ports, ...rest }) => ({
    ...rest,
    endpoints: endpoints.map((endpoint: Obj) => ({ ...endpoint, conditions: endpoint.conditions ?? {} })),
    ...(ports ? { ports: withProtocol(ports).map((port: Obj) => ({ ...port, name: port.name ?? '' })) } : {}),
  }),
  Namespace: ({ metadata, ...rest }) => ({
    ...rest,
    metadata: { ...metadata, labels: { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name } },
  }),
  Pod: ({ spec, ...rest }) => ({ ...rest, spec: withContainers(spec) }),
  ReplicaSet: withTemplate,
  RoleBinding: withRbacGroups,
  Secret: withSecretData,
  Service: withServiceDefaults,
};

/**
 * Fills in the defaults that the manager who writes the object then owns.
 * @throws ApiFailure 400 or 422 for an invalid APIService
 */
export const withDefaults = (kind: Kind, object: Obj, old: Obj | undefined, now: Date): Obj =>
  defaults[kind.kind]?.(object, old, now) ?? object;

/**
 * Fills in what kube-apiserver adds and no manager owns.
 * @throws ApiFailure 403 for a pod without its ServiceAccount
 */
export function prepared(store: Store, kind: Kind, object: Obj, old: Obj | undefined): Obj {
  if (kind.kind === 'Service') return { ...withAddress(store, kind, object, old), status: object.status ?? { loadBalancer: {} } };
  if (old) return object;
  if (kind.kind === 'Namespace') return { ...object, spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } };
  if (kind.kind === 'Pod') return { ...withServiceAccount(store, object), status: { phase: 'Pending' } };
  return kind.status ? { ...object, status: object.status ?? {} } : object;
}

/** k8s.io/kubernetes/plugin/pkg/admission/serviceaccount, without the volume that it adds. */
function withServiceAccount(store: Store, { spec, ...rest }: Obj): Obj {
  const { name, namespace } = rest.metadata;
  const { serviceAccountName = 'default' } = spec ?? {};
  if (!store.get(coreKind('ServiceAccount'), namespace, serviceAccountName)) {
    const why = `error looking up service account ${namespace}/${serviceAccountName}: serviceaccount "${serviceAccountName}" not found`;
    throw new ApiFailure(403, 'Forbidden', `pods "${name}" is forbidden: ${why}`, { name, kind: 'pods' });
  }
  return { ...rest, spec: { ...spec, serviceAccountName, serviceAccount: serviceAccountName } };
}

/** Validates an object by the rules of all kinds and those of its own. */
export function faultsOf(kind: Kind, object: Obj, old: Obj | undefined): Fault[] {
  return [...metadataFaults(kind, object), ...(faults[kind.kind]?.(object) ?? []), ...(old ? changeFaults(kind, object, old) : [])];
}

const labelNames = ['Namespace', 'Service'];
/** Kinds whose names may be anything that fits into a path. */
const pathNames = ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding', 'APIService'];

function metadataFaults(kind: Kind, { metadata: { name = '', labels = {} } }: Obj): Fault[] {
  const wrongLabels = Object.entries<string>(labels).flatMap(([key, value]) => {
    const detail = labelFault(key, value);
    return detail === undefined ? [] : [wrong('metadata.labels', `${key}=${value}`, detail)];
  });
  return [...objectNameFaults(kind, name), ...wrongLabels];
}

function objectNameFaults({ kind }: Kind, name: string): Fault[] {
  const field = 'metadata.name';
  if (name === '') return [required(field, 'name or generateName is required')];
  if (!pathNames.includes(kind)) return nameFaults(field, name, labelNames.includes(kind) ? dns1123Label : dns1123Subdomain);
  return ['/', '%'].filter((sign) => name.includes(sign)).map((sign) => wrong(field, name, `may not contain '${sign}'`));
}

function workloadFaults({ spec: { selector, template = {} } }: Obj): Fault[] {
  const labels = template.metadata?.labels;
  const selects = Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => labels?.[key] === value);
  return [
    ...(selector ? [] : [required('spec.selector')]),
    ...(selects ? [] : [wrong('spec.template.metadata.labels', labels ?? null, '`selector` does not match template `labels`')]),
    ...(template.spec?.containers?.length ? [] : [required('spec.template.spec.containers')]),
  ];
}

const bindingFaults = ({ kind, roleRef }: Obj): Fault[] =>
  roleRef.kind === 'ClusterRole' || (roleRef.kind === 'Role' && kind === 'RoleBinding')
    ? []
    : [wrong('roleRef.kind', roleRef.kind ?? '', `must be a role that a ${kind} can refer to`)];

const faults: Readonly<Record<string, (object: Obj) => Fault[]>> = {
  ClusterRoleBinding: (object) => bindingFaults({ ...object, kind: 'ClusterRoleBinding' }),
  Deployment: workloadFaults,
  Pod: ({ spec }) => (spec?.containers?.length ? [] : [required('spec.containers')]),
  ReplicaSet: workloadFaults,
  RoleBinding: (object) => bindingFaults({ ...object, kind: 'RoleBinding' }),
  Secret: ({ data = {}, type }) =>
    type === 'kubernetes.io/tls' ? ['tls.crt', 'tls.key'].filter((key) => !(key in data)).map((key) => required(`data[${key}]`)) : [],
  Service: serviceFaults,
};

const immutable: Readonly<Record<string, string>> = {
  ClusterRoleBinding: 'roleRef',
  Deployment: 'spec.selector',
  ReplicaSet: 'spec.selector',
  RoleBinding: 'roleRef',
  Secret: 'type',
};

function changeFaults({ kind }: Kind, object: Obj, old: Obj): Fault[] {
  const path = immutable[kind];
  const at = (holder: Obj): Obj => path?.split('.').reduce((part, key) => part?.[key], holder);
  if (path === undefined || isDeepStrictEqual(at(object), at(old))) return [];
  return [wrong(path, at(object), 'field is immutable')];
}
