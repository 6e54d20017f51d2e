import type { Observation } from '../types.ts';
import { type Check, type CheckContext, observation, seen } from './check.ts';
import { parseResourceList } from './discovery.ts';

/** What the core group has (k8s.io/kubernetes/pkg/controlplane/apiserver/aggregator.go), and kube-aggregator types.go recommends to *.k8s.io. */
const corePriority = 18_000;
/** "PaaSes are recommended to be in the 2000s" (kube-aggregator types.go, GroupPriorityMinimum). */
const extensionPriority = 2_999;

/** The resources of the core group that people type (k8s.io/kubernetes/pkg/registry/core/rest). */
const coreResources = [
  'componentstatuses',
  'configmaps',
  'endpoints',
  'events',
  'limitranges',
  'namespaces',
  'nodes',
  'persistentvolumeclaims',
  'persistentvolumes',
  'pods',
  'podtemplates',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'serviceaccounts',
  'services',
];

/** How many groups are named as evidence. */
const shownGroups = 5;

/** The place of the group among those of the cluster. */
export const checkPriority: Check = (context) => {
  const { api } = context;
  const limit = api.group.endsWith('.k8s.io') ? corePriority : extensionPriority;
  if (!api.service || !(api.groupPriorityMinimum > limit)) return [];
  const priority = String(api.groupPriorityMinimum);
  const evidence = [`spec.groupPriorityMinimum: ${priority}`, ...behind(context)];
  return [...checkShadow(context, evidence), observation('registration/priority-too-high', evidence, { priority })];
};

/** Clients that know only the name of a resource take the group that comes first. */
function checkShadow({ api, snapshot }: CheckContext, evidence: readonly string[]): readonly Observation[] {
  const core = (seen(snapshot.neighbours) ?? []).find(({ group }) => group === '');
  const own = parseResourceList(seen(snapshot.aggregated)?.body ?? '')?.resources ?? [];
  const hidden = coreResources.filter((name) => own.includes(name));
  const [resource] = hidden;
  if (resource === undefined || !(api.groupPriorityMinimum > (core?.groupPriorityMinimum ?? corePriority))) return [];
  return [observation('registration/shadows-group', evidence, { resources: hidden.join(', '), resource })];
}

function behind({ api, snapshot }: CheckContext): string[] {
  const lower = (seen(snapshot.neighbours) ?? [])
    .filter(({ group, groupPriorityMinimum }) => group !== api.group && groupPriorityMinimum < api.groupPriorityMinimum)
    .toSorted((one, other) => other.groupPriorityMinimum - one.groupPriorityMinimum)
    .map(({ group, groupPriorityMinimum }) => `${group || 'core'} (${groupPriorityMinimum})`);
  const groups = [...new Set(lower)];
  const more = groups.length > shownGroups ? ` and ${groups.length - shownGroups} more` : '';
  return groups.length > 0 ? [`comes before: ${groups.slice(0, shownGroups).join(', ')}${more}`] : [];
}
