import { isDeepStrictEqual } from 'node:util';
import { ApiFailure, badRequest } from '../shared/failure.ts';
import { base64Fault, prepareApiService } from './api-service.ts';
import { forbiddenValue, required, type Wrong, wrong } from './faults.ts';
import { kindOf } from './kinds.ts';
import { metadataFaults } from './names.ts';
import { rbacFaults, withBindingDefaults } from './rbac-objects.ts';
import { serviceFaults, withAddress, withServiceDefaults } from './services.ts';
import type { Kind, Obj, Store } from './types.ts';

// What the strategies of k8s.io/kubernetes/pkg/registry and the defaults of pkg/apis do, for the
// kinds where somebody would miss it.

const withProtocol = (ports: readonly Obj[]): Obj => ports.map((port) => ({ ...port, protocol: port.protocol ?? 'TCP' }));
const withPorts = (holder: Obj): Obj => (holder.ports ? { ...holder, ports: withProtocol(holder.ports) } : holder);

/**
 * A pod's spec. Its ports need a protocol, which is part of their key; no other default of a pod is
 * filled in, unlike in kube-apiserver.
 */
const withContainers = (spec: Obj): Obj => (spec?.containers ? { ...spec, containers: spec.containers.map(withPorts) } : spec);

const withTemplate = ({ spec = {}, ...rest }: Obj): Obj => ({
  ...rest,
  spec: {
    ...spec,
    replicas: spec.replicas ?? 1,
    ...(spec.template ? { template: { ...spec.template, spec: withContainers(spec.template.spec) } } : {}),
  },
});

const rollout = { revisionHistoryLimit: 10, progressDeadlineSeconds: 600 };
const withRollingUpdate = ({ type = 'RollingUpdate', ...rest }: Obj = {}): Obj =>
  type === 'RollingUpdate' ? { type, rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%', ...rest.rollingUpdate } } : { type, ...rest };

/** In Go an empty list of rules has no omitempty: it is written as null. */
const withRules = ({ rules, ...rest }: Obj): Obj => ({ ...rest, rules: rules?.length ? rules : null });

function secretDefaults({ stringData = {}, data = {}, type = 'Opaque', ...rest }: Obj): Obj {
  for (const value of Object.values(data)) {
    const fault = base64Fault(String(value));
    if (fault !== undefined)
      throw badRequest(`Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte ${fault}`);
  }
  const folded = Object.entries<string>(stringData).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  const all = { ...data, ...Object.fromEntries(folded) };
  return { ...rest, ...(Object.keys(all).length > 0 ? { data: all } : {}), type };
}

const defaults: Readonly<Record<string, (object: Obj, old: Obj | undefined, now: Date) => Obj>> = {
  APIService: prepareApiService,
  ClusterRoleBinding: withBindingDefaults,
  Deployment: (object) => {
    const { spec, ...rest } = withTemplate(object);
    return { ...rest, spec: { ...rollout, ...spec, strategy: withRollingUpdate(spec.strategy) } };
  },
  EndpointSlice: ({ endpoints = null, ports, ...rest }) => ({
    ...rest,
    endpoints: endpoints?.map((endpoint: Obj) => ({ ...endpoint, conditions: endpoint.conditions ?? {} })) ?? null,
    ports: ports ? withProtocol(ports).map((port: Obj) => ({ ...port, name: port.name ?? '' })) : null,
  }),
  Endpoints: ({ subsets, ...rest }) => ({ ...rest, ...(subsets ? { subsets: subsets.map(withPorts) } : {}) }),
  Namespace: ({ metadata, ...rest }) => ({
    ...rest,
    metadata: { ...metadata, labels: { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name } },
  }),
  NetworkPolicy: ({ spec = {}, ...rest }) => ({
    ...rest,
    spec: { ...spec, policyTypes: spec.policyTypes ?? ['Ingress', ...(spec.egress ? ['Egress'] : [])] },
  }),
  Pod: ({ spec, ...rest }) => ({ ...rest, spec: withContainers(spec) }),
  ReplicaSet: withTemplate,
  RoleBinding: withBindingDefaults,
  Secret: secretDefaults,
  Service: withServiceDefaults,
};

/**
 * Fills in what then belongs to whoever writes the object.
 * @throws ApiFailure for what can't be read as this kind, and all that is wrong with an APIService
 */
export const withDefaults = (kind: Kind, object: Obj, old: Obj | undefined, now: Date): Obj =>
  defaults[kind.kind]?.(object, old, now) ?? object;

/**
 * Fills in what kube-apiserver adds by itself, and belongs to nobody.
 * @throws ApiFailure 403 for a pod whose ServiceAccount is not there, as its admission does
 */
export function prepared(store: Store, kind: Kind, object: Obj, old: Obj | undefined): Obj {
  if (kind.kind === 'ClusterRole' || kind.kind === 'Role') return withRules(object);
  if (kind.kind === 'Service') return { ...withAddress(store, kind, object, old), status: object.status ?? { loadBalancer: {} } };
  if (old) return object;
  if (kind.kind === 'Namespace') return { ...object, spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } };
  if (kind.kind === 'Pod') return { ...withServiceAccount(store, object), status: { phase: 'Pending', qosClass: 'BestEffort' } };
  return kind.status ? { ...object, status: object.status ?? {} } : object;
}

/** k8s.io/kubernetes/plugin/pkg/admission/serviceaccount, without the volume that it adds. */
function withServiceAccount(store: Store, { spec, ...rest }: Obj): Obj {
  const { name, namespace } = rest.metadata;
  const { serviceAccountName = 'default' } = spec ?? {};
  if (!store.get(kindOf('', 'ServiceAccount') as Kind, namespace, serviceAccountName)) {
    const why = `error looking up service account ${namespace}/${serviceAccountName}: serviceaccount "${serviceAccountName}" not found`;
    throw new ApiFailure(403, 'Forbidden', `pods "${name}" is forbidden: ${why}`, { name, kind: 'pods' });
  }
  return { ...rest, spec: { ...spec, serviceAccountName, serviceAccount: serviceAccountName } };
}

/** All that is wrong with an object, by the rules that all kinds share and those of its own. */
export function faultsOf(kind: Kind, object: Obj, old: Obj | undefined): Wrong[] {
  return [
    ...metadataFaults(kind, object),
    ...(old ? metadataChangeFaults(object, old) : []),
    ...(faults[kind.kind]?.(object, old) ?? []),
    ...(old ? changeFaults(kind, object, old) : []),
  ];
}

const faults: Readonly<Record<string, (object: Obj, old: Obj | undefined) => Wrong[]>> = {
  ClusterRole: (object) => rbacFaults('ClusterRole', object),
  ClusterRoleBinding: (object) => rbacFaults('ClusterRoleBinding', object),
  Deployment: ({ spec }) => workloadFaults(spec),
  Pod: ({ spec }) => (spec?.containers?.length ? [] : [required('spec.containers')]),
  ReplicaSet: ({ spec }) => workloadFaults(spec),
  Role: (object) => rbacFaults('Role', object),
  RoleBinding: (object) => rbacFaults('RoleBinding', object),
  Secret: ({ data = {}, type }, old) => [
    ...(old && type !== old.type ? [wrong('type', type, 'field is immutable')] : []),
    ...(type === 'kubernetes.io/tls' ? ['tls.crt', 'tls.key'].filter((key) => !(key in data)).map((key) => required(`data[${key}]`)) : []),
  ],
  Service: serviceFaults,
};

function workloadFaults({ selector, template = {} }: Obj): Wrong[] {
  const labels = template.metadata?.labels;
  const wanted = Object.entries(selector?.matchLabels ?? {});
  const selects = selector !== undefined && wanted.every(([key, value]) => labels?.[key] === value);
  return [
    ...(selector ? [] : [required('spec.selector')]),
    ...(selects ? [] : [wrong('spec.template.metadata.labels', labels ?? null, '`selector` does not match template `labels`')]),
    ...(template.spec?.containers?.length ? [] : [required('spec.template.spec.containers')]),
  ];
}

const immutable: Readonly<Record<string, { readonly path: readonly string[]; readonly words: string }>> = {
  ClusterRoleBinding: { path: ['roleRef'], words: 'field is immutable' },
  Deployment: { path: ['spec', 'selector'], words: 'field is immutable' },
  ReplicaSet: { path: ['spec', 'selector'], words: 'field is immutable' },
  RoleBinding: { path: ['roleRef'], words: 'field is immutable' },
};

/** What may not change in the metadata of any kind. */
function metadataChangeFaults({ metadata }: Obj, old: Obj): Wrong[] {
  const found: Wrong[] = [];
  const added = (metadata.finalizers ?? []).filter((each: string) => !(old.metadata.finalizers ?? []).includes(each));
  if (old.metadata.deletionTimestamp && added.length > 0) {
    const list = added.map((each: string) => JSON.stringify(each)).join(', ');
    const why = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`;
    found.push(forbiddenValue('metadata.finalizers', why));
  }
  if (metadata.uid !== old.metadata.uid) found.push(wrong('metadata.uid', metadata.uid, 'field is immutable'));
  return found;
}

function changeFaults({ kind }: Kind, object: Obj, old: Obj): Wrong[] {
  const { path, words } = immutable[kind] ?? {};
  if (!path || !words) return [];
  const at = (holder: Obj): Obj => path.reduce((part, key) => part?.[key], holder);
  return isDeepStrictEqual(at(object), at(old)) ? [] : [wrong(path.join('.'), goNamed(at(object)), words)];
}

/** The internal type of a roleRef has no names for JSON. */
const goNamed = ({ apiGroup, kind, name, ...rest }: Obj): Obj => (kind ? { APIGroup: apiGroup, Kind: kind, Name: name } : rest);
