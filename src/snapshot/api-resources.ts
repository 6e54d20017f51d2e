import type { Need } from '../cluster/status.ts';
import { type Json, listOf } from './views.ts';

/** What clients request of the resources that an API serves. */

/** The used fields of a metav1.APIResourceList. */
export interface ResourceList {
  readonly groupVersion: string;
  /** Names; those of subresources have a slash. */
  readonly resources: readonly string[];
  /** The resources that clients can list, by name. */
  readonly listed: readonly string[];
}

/**
 * Parses a discovery document. Undefined for anything else
 * (k8s.io/apimachinery/pkg/apis/meta/v1/types.go, APIResourceList).
 */
export function parseResourceList(body: string): ResourceList | undefined {
  if (!body.includes('APIResourceList')) return undefined;
  try {
    const { kind, groupVersion, resources } = JSON.parse(body);
    if (kind !== 'APIResourceList' || !Array.isArray(resources)) return undefined;
    return {
      groupVersion: String(groupVersion),
      resources: resources.map(({ name }) => String(name)),
      listed: listOf(resources)
        .filter(isListed)
        .map(({ name }) => String(name))
        .sort(),
    };
  } catch {
    return undefined;
  }
}

const isListed = ({ name, verbs }: Json): boolean => /^[a-z0-9][-a-z0-9]*$/.test(name) && Array.isArray(verbs) && verbs.includes('list');

/**
 * The permission that a GET of a path needs, if the path names a resource of an API group
 * (k8s.io/apiserver/pkg/endpoints/request/requestinfo.go).
 * @returns undefined for other paths, such as those of discovery
 */
export function needOf(path: string): Need | undefined {
  const [, root, group, version, ...rest] = (path.split('?')[0] ?? '').split('/');
  const parts = rest.filter((part) => part !== '').map(decoded);
  const namespace = parts[0] === 'namespaces' && parts.length > 2 ? parts[1] : undefined;
  const [plural, name, subresource] = namespace === undefined ? parts : parts.slice(2);
  if (root !== 'apis' || !group || !version || plural === undefined) return undefined;
  const resource = { apiVersion: `${group}/${version}`, kind: plural, plural, namespaced: namespace !== undefined };
  return {
    verb: name === undefined ? 'list' : 'get',
    ref: { resource: subresource === undefined ? resource : { ...resource, subresource }, namespace, name: name ?? '*' },
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The groups of metrics, whose resources come and go with the metrics that exist. */
export const isMetricsGroup = (group: string): boolean => /^(?:.+\.)?metrics\.k8s\.io$/.test(group);
