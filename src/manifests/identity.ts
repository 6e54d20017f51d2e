import aggregatedRole from '../../templates/manifests/aggregated-role.yaml';
import authDelegator from '../../templates/manifests/auth-delegator.yaml';
import authReader from '../../templates/manifests/auth-reader.yaml';
import clientRole from '../../templates/manifests/client-role.yaml';
import clusterRole from '../../templates/manifests/cluster-role.yaml';
import clusterRoleBinding from '../../templates/manifests/cluster-role-binding.yaml';
import namespaceTemplate from '../../templates/manifests/namespace.yaml';
import serviceAccountTemplate from '../../templates/manifests/service-account.yaml';
import type { Registration } from '../config/schema.ts';
import { metadataEdits, objectLabels } from './labels.ts';
import { fillTemplate } from './template.ts';
import type { Manifest } from './types.ts';

/** Namespaces of every cluster (k8s.io/kubernetes/pkg/controlplane/controller/systemnamespaces). */
const systemNamespaces = new Set(['default', 'kube-system', 'kube-public', 'kube-node-lease']);

/** The name of the server's ServiceAccount. */
export const serviceAccountName = ({ metadata, spec }: Registration): string => spec.server.serviceAccount.name ?? metadata.name;

/**
 * The Namespace, unless every cluster has it. It has no labels, because registrations that share it
 * would remove each other's labels.
 */
export function namespaceManifests(registration: Registration): Manifest[] {
  const { namespace } = registration.metadata;
  if (systemNamespaces.has(namespace)) return [];
  return [fillTemplate(namespaceTemplate, '010-namespace.yaml', { 'metadata.name': namespace })];
}

/**
 * The ServiceAccount and its RBAC objects: delegated authentication and authorization, the rules of
 * the server, and the permissions of users and clients. Without delegation the server answers 500
 * to ordinary users, or does not start.
 */
export function identityManifests(registration: Registration): Manifest[] {
  const { metadata, spec } = registration;
  const { serviceAccount, rbac } = spec.server;
  const name = serviceAccountName(registration);
  const subjects = [{ kind: 'ServiceAccount', name, namespace: metadata.namespace }];
  // Cluster-scoped names include the namespace, so that two servers never share a binding.
  const role = `${metadata.namespace}:${metadata.name}`;
  const manifests: Manifest[] = [];
  if (serviceAccount.create) {
    const { annotations } = serviceAccount;
    const edits = { ...metadataEdits(registration, name, { annotations }), 'metadata.namespace': metadata.namespace };
    manifests.push(fillTemplate(serviceAccountTemplate, '020-service-account.yaml', edits));
  }
  if (rbac.rules.length > 0) {
    const roleEdits = { ...metadataEdits(registration, role), rules: rbac.rules.map(withoutEmptyLists) };
    const bindingEdits = { ...metadataEdits(registration, role), 'roleRef.name': role, subjects };
    manifests.push(fillTemplate(clusterRole, '030-cluster-role.yaml', roleEdits));
    manifests.push(fillTemplate(clusterRoleBinding, '031-cluster-role-binding.yaml', bindingEdits));
  }
  const delegator = { ...metadataEdits(registration, `${role}:auth-delegator`), subjects };
  const reader = { ...metadataEdits(registration, `${role}:authentication-reader`), subjects };
  manifests.push(fillTemplate(authDelegator, '032-auth-delegator.yaml', delegator));
  manifests.push(fillTemplate(authReader, '033-auth-reader.yaml', reader));
  if (rbac.aggregate) {
    const aggregation = rbac.aggregate.to.map((to) => [`rbac.authorization.k8s.io/aggregate-to-${to}`, 'true']);
    const edits = {
      ...metadataEdits(registration, `${role}:users`, { labels: { ...objectLabels(registration), ...Object.fromEntries(aggregation) } }),
      rules: rbac.aggregate.rules.map(withoutEmptyLists),
    };
    manifests.push(fillTemplate(aggregatedRole, '034-aggregated-role.yaml', edits));
  }
  return [...manifests, ...clientManifests(registration, `${role}:clients`)];
}

/** The permissions of single clients. */
function clientManifests(registration: Registration, role: string): Manifest[] {
  const { grant } = registration.spec.server.rbac;
  if (!grant) return [];
  const roleEdits = { ...metadataEdits(registration, role), rules: grant.rules.map(withoutEmptyLists) };
  const bindingEdits = { ...metadataEdits(registration, role), 'roleRef.name': role, subjects: grant.to.map(withApiGroup) };
  return [
    fillTemplate(clientRole, '035-client-role.yaml', roleEdits),
    fillTemplate(clusterRoleBinding, '036-client-binding.yaml', bindingEdits),
  ];
}

type Subject = NonNullable<Registration['spec']['server']['rbac']['grant']>['to'][number];

/**
 * kube-apiserver defaults the API group of users and groups, and `kubectl apply` would replace the
 * subjects on every run (k8s.io/kubernetes/pkg/apis/rbac/v1/defaults.go).
 */
const withApiGroup = (subject: Subject): object =>
  subject.kind === 'ServiceAccount' ? subject : { ...subject, apiGroup: 'rbac.authorization.k8s.io' };

type Rule = Registration['spec']['server']['rbac']['rules'][number];

/** kube-apiserver drops empty lists, and `kubectl apply` would replace the rules on every run. */
const withoutEmptyLists = (rule: Rule): Partial<Rule> =>
  Object.fromEntries(Object.entries(rule).filter(([, list]) => list !== undefined && list.length > 0));
