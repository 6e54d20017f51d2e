import { parseResourceList } from '../../snapshot/api-resources.ts';
import type { ApiServiceView, ApiSnapshot } from '../../snapshot/types.ts';
import type { Observation } from '../types.ts';
import { type Check, type CheckContext, observation, seen } from './check.ts';

/**
 * The priority of the core group (k8s.io/kubernetes/pkg/controlplane/apiserver/aggregator.go), and
 * the recommended limit for *.k8s.io (kube-aggregator types.go).
 */
const corePriority = 18_000;
/** "PaaSes are recommended to be in the 2000s" (kube-aggregator types.go, GroupPriorityMinimum). */
const extensionPriority = 2_999;

/** The resources of the built-in groups (k8s.io/kubernetes/pkg/registry/<group>/rest). */
const builtIn: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    apps: ['controllerrevisions', 'daemonsets', 'deployments', 'replicasets', 'statefulsets'],
    autoscaling: ['horizontalpodautoscalers'],
    batch: ['cronjobs', 'jobs'],
    'admissionregistration.k8s.io': ['mutatingwebhookconfigurations', 'validatingadmissionpolicies', 'validatingwebhookconfigurations'],
    'apiextensions.k8s.io': ['customresourcedefinitions'],
    'certificates.k8s.io': ['certificatesigningrequests'],
    'coordination.k8s.io': ['leases'],
    'discovery.k8s.io': ['endpointslices'],
    'networking.k8s.io': ['ingressclasses', 'ingresses', 'networkpolicies'],
    'node.k8s.io': ['runtimeclasses'],
    policy: ['poddisruptionbudgets'],
    'rbac.authorization.k8s.io': ['clusterrolebindings', 'clusterroles', 'rolebindings', 'roles'],
    'scheduling.k8s.io': ['priorityclasses'],
    'storage.k8s.io': ['csidrivers', 'csinodes', 'storageclasses', 'volumeattachments'],
  }),
);

/** The number of groups in the evidence. */
const maxListedGroups = 5;

/** The priority of the group, compared with the other groups of the cluster. */
export const checkPriority: Check = (context) => {
  const { api } = context;
  if (!api.service) return [];
  const limit = api.group.endsWith('.k8s.io') ? corePriority : extensionPriority;
  const priority = String(api.groupPriorityMinimum);
  const evidence = [`spec.groupPriorityMinimum: ${priority}`, ...precededGroups(context)];
  const high = api.groupPriorityMinimum > limit ? [observation('registration/priority-too-high', evidence, { priority })] : [];
  return [...checkShadow(context, evidence), ...high];
};

/**
 * For the name of a resource without a group, clients take the first group that has it. The core
 * group is always first (k8s.io/client-go/restmapper/discovery.go, NewDiscoveryRESTMapper).
 */
function checkShadow({ api, snapshot }: CheckContext, evidence: readonly string[]): readonly Observation[] {
  const own = parseResourceList(seen(snapshot.aggregated)?.body ?? '')?.resources ?? [];
  const hidden = lowerGroups(snapshot, api).flatMap(({ group }) =>
    (builtIn.get(group) ?? []).filter((resource) => own.includes(resource)).map((resource) => ({ resource, full: `${resource}.${group}` })),
  );
  const [first] = hidden;
  if (!first) return [];
  const args = { resources: hidden.map(({ full }) => full).join(', '), resource: first.resource, full: first.full };
  return [observation('registration/shadows-group', evidence, args)];
}

/**
 * The groups with a lower priority, without the core group. The highest priority of its versions
 * counts for a group (kube-aggregator types.go).
 */
function lowerGroups(snapshot: ApiSnapshot, api: ApiServiceView): readonly { readonly group: string; readonly priority: number }[] {
  const highest = new Map<string, number>();
  for (const { group, groupPriorityMinimum } of seen(snapshot.neighbours) ?? []) {
    highest.set(group, Math.max(groupPriorityMinimum, highest.get(group) ?? 0));
  }
  return [...highest]
    .map(([group, priority]) => ({ group, priority }))
    .filter(({ group, priority }) => group !== '' && group !== api.group && priority < api.groupPriorityMinimum)
    .toSorted((one, other) => other.priority - one.priority);
}

function precededGroups({ api, snapshot }: CheckContext): string[] {
  const groups = lowerGroups(snapshot, api).map(({ group, priority }) => `${group} (${priority})`);
  const more = groups.length > maxListedGroups ? ` and ${groups.length - maxListedGroups} more` : '';
  return groups.length > 0 ? [`takes precedence over: ${groups.slice(0, maxListedGroups).join(', ')}${more}`] : [];
}
