import { sendJson } from '../shared/answer.ts';
import { notAllowed, notServed } from '../shared/failure.ts';
import { convertResources, type RemoteDiscovery } from './aggregated-discovery.ts';
import { apiVersionOf, kinds, reviewKinds } from './kinds.ts';
import { apiServicesIn } from './lookup.ts';
import { accepted } from './representation.ts';
import type { Call, Obj, Simulation, Store } from './types.ts';

/** The group of APIServices, which has no APIService itself. */
const registrations = 'apiregistration.k8s.io';
const verbs = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];
const everything = [...kinds, ...reviewKinds].sort((one, other) => (one.plural < other.plural ? -1 : 1));
const v2 = { g: 'apidiscovery.k8s.io', v: 'v2', as: 'APIGroupDiscoveryList' };

/** Whether this group is served by the simulation itself. */
export const isBuiltIn = (group: string): boolean => everything.some((kind) => kind.group === group);

/**
 * Answers /api, /apis and the paths of groups and versions, in the legacy form and in the
 * aggregated one (KEP-3352).
 * @returns whether the request was for one of them
 * @throws ApiFailure 404 for an unknown version of a built-in group; 405
 */
export function answerDiscovery({ store }: Pick<Simulation, 'store'>, remote: RemoteDiscovery, call: Call): boolean {
  const [prefix, ...rest] = call.info.path.split('/').filter(Boolean);
  const [group = '', version, ...below] = prefix === 'apis' ? rest : ['', ...rest];
  if ((prefix !== 'api' && prefix !== 'apis') || below.length > 0) return false;
  const isRoot = rest.length === 0;
  if (call.request.method !== 'GET' && (isRoot || isBuiltIn(group))) throw notAllowed();
  if (version !== undefined) return answerVersion(call, group, version);
  if (!isRoot) {
    const found = groupsOf(store).find(({ name }) => name === group);
    if (found) sendJson(call, 200, { kind: 'APIGroup', apiVersion: 'v1', ...legacyGroup(found) });
    return found !== undefined;
  }
  const groups = groupsOf(store).filter(({ name }) => (name === '') === (prefix === 'api'));
  if (accepted(call.request, ({ g, v, as }) => as === undefined || (g === v2.g && v === v2.v && as === v2.as)).as) {
    const items = groups.map((each) => aggregatedGroup(each, remote)).filter(({ versions }) => versions.length > 0);
    const contentType = `application/json;g=${v2.g};v=${v2.v};as=${v2.as}`;
    sendJson(call, 200, { kind: v2.as, apiVersion: `${v2.g}/${v2.v}`, metadata: {}, items }, contentType);
  } else if (prefix === 'api') {
    const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress: call.request.headers.host }];
    sendJson(call, 200, { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs });
  } else sendJson(call, 200, { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(legacyGroup) });
  return true;
}

interface Group {
  readonly name: string;
  /** By priority. */
  readonly versions: readonly string[];
}

/**
 * The groups of all APIServices by priority (pkg/apis/apiregistration/v1/helper,
 * SortedByGroupAndVersion).
 */
export function groupsOf(store: Store): readonly Group[] {
  const byPriority = [...apiServicesIn(store)].sort(
    (one, other) => other.spec.groupPriorityMinimum - one.spec.groupPriorityMinimum || (one.metadata.name < other.metadata.name ? -1 : 1),
  );
  const groups = new Map<string, Obj[]>();
  for (const each of byPriority) groups.set(each.spec.group ?? '', [...(groups.get(each.spec.group ?? '') ?? []), each]);
  const versionsOf = (apiServices: readonly Obj[]): string[] =>
    apiServices
      .toSorted(
        ({ spec: one }, { spec: other }) => other.versionPriority - one.versionPriority || compareVersions(other.version, one.version),
      )
      .map(({ spec }) => spec.version);
  return [
    { name: registrations, versions: ['v1'] },
    ...[...groups].map(([name, apiServices]) => ({ name, versions: versionsOf(apiServices) })),
  ];
}

/**
 * v2 before v1, v2beta1, v1alpha1 and other names (apimachinery/pkg/version,
 * CompareKubeAwareVersionStrings).
 */
export function compareVersions(one: string, other: string): number {
  const [a, b] = [rank(one), rank(other)];
  if (!a || !b) return a ? 1 : b ? -1 : one < other ? 1 : one > other ? -1 : 0;
  return a.map((part, index) => part - (b[index] ?? 0)).find((difference) => difference !== 0) ?? 0;
}

function rank(version: string): number[] | undefined {
  const [, major, stage, minor] = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(version) ?? [];
  return major === undefined ? undefined : [stage === undefined ? 2 : stage === 'beta' ? 1 : 0, Number(major), Number(minor ?? 0)];
}

function legacyGroup({ name, versions }: Group): Obj {
  const listed = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: listed, preferredVersion: listed[0] };
}

function answerVersion(call: Call, group: string, version: string): boolean {
  const resources = resourcesOf(group, version);
  if (resources.length === 0 && isBuiltIn(group)) throw notServed();
  if (resources.length > 0) {
    // The list of the core group has no apiVersion.
    const type = { kind: 'APIResourceList', ...(group === '' ? {} : { apiVersion: 'v1' }) };
    sendJson(call, 200, { ...type, groupVersion: apiVersionOf({ group, version }), resources });
  }
  return resources.length > 0;
}

/** The resources of an APIResourceList, with status as their only subresource. */
function resourcesOf(group: string, version: string): Obj[] {
  return everything
    .filter((each) => each.group === group && each.version === version)
    .flatMap((each) => {
      const { kind, plural, namespaced, shortNames, categories } = each;
      const names = { ...(shortNames ? { shortNames } : {}), ...(categories ? { categories } : {}) };
      const status = { name: `${plural}/status`, singularName: '', namespaced, kind, verbs: ['get', 'patch', 'update'] };
      const resource = {
        name: plural,
        singularName: kind.toLowerCase(),
        namespaced,
        kind,
        verbs: reviewKinds.includes(each) ? ['create'] : verbs,
        ...names,
      };
      return each.status ? [resource, status] : [resource];
    });
}

/** An APIGroupDiscovery: built-in versions, and those of extension API servers. */
function aggregatedGroup(
  { name, versions }: Group,
  remote: RemoteDiscovery,
): { readonly metadata: Obj; readonly versions: readonly Obj[] } {
  const found = versions.flatMap((version): Obj[] => {
    const resources = convertResources(resourcesOf(name, version));
    if (resources.length > 0) return [{ version, resources, freshness: 'Current' }];
    return [remote.versions().get(`${version}.${name}`)].filter(Boolean);
  });
  return { metadata: name === '' ? {} : { name }, versions: found };
}
