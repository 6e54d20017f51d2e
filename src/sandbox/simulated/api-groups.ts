import { apiServicesIn } from './lookup.ts';
import type { Obj, Store } from './types.ts';

/** An entry of an APIGroupList. */
export interface ApiGroup {
  readonly name: string;
  readonly versions: readonly { readonly groupVersion: string; readonly version: string }[];
  readonly preferredVersion: { readonly groupVersion: string; readonly version: string };
}

/**
 * The groups of all APIServices but the core group, whether they are available or not: what /apis
 * lists after apiregistration.k8s.io, and what /apis/GROUP says
 * (k8s.io/kube-aggregator/pkg/apiserver/handler_apis.go).
 */
export function apiGroups(store: Store): ApiGroup[] {
  return sortedByGroup(apiServicesIn(store))
    .filter(([first]) => first?.spec.group)
    .map((apiServices) => {
      const versions = apiServices.map(({ spec: { group, version } }) => ({ groupVersion: `${group}/${version}`, version }));
      return { name: apiServices[0]?.spec.group, versions, preferredVersion: versions[0] as ApiGroup['preferredVersion'] };
    });
}

/**
 * The APIServices of each group, the group of the highest priority first, and so its versions
 * (pkg/apis/apiregistration/v1/helper, SortedByGroupAndVersion).
 */
export function sortedByGroup(apiServices: readonly Obj[]): Obj[][] {
  const byPriority = [...apiServices].sort(
    (one, other) => other.spec.groupPriorityMinimum - one.spec.groupPriorityMinimum || (one.metadata.name < other.metadata.name ? -1 : 1),
  );
  const groups = new Map<string, Obj[]>();
  for (const each of byPriority) groups.set(each.spec.group, [...(groups.get(each.spec.group) ?? []), each]);
  return [...groups.values()].map((group) =>
    group.sort(
      (one, other) => other.spec.versionPriority - one.spec.versionPriority || compareVersions(other.spec.version, one.spec.version),
    ),
  );
}

/**
 * Above zero when the first is the newer one: v2, v1, v2beta1, v1alpha1, and then what is no such
 * version (apimachinery/pkg/version, CompareKubeAwareVersionStrings).
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
