import type { Api } from '../../config/schema.ts';

type GroupVersion = Pick<Api, 'group' | 'version'>;

const names = { name: 'hosts', singularName: 'host', kind: 'Host', verbs: ['get', 'list'] } as const;

/** GET /apis/<group>/<version>: what kube-apiserver's availability probe asks for, and `kubectl` (k8s.io/apimachinery/pkg/apis/meta/v1, APIResourceList). */
export const resourceList = ({ group, version }: GroupVersion): object => ({
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: `${group}/${version}`,
  resources: [{ ...names, namespaced: false }],
});

/** GET /apis/<group>. */
export const apiGroup = (api: GroupVersion): object => ({ kind: 'APIGroup', apiVersion: 'v1', ...groupOf(api) });

/** GET /apis. */
export const groupList = (api: GroupVersion): object => ({ kind: 'APIGroupList', apiVersion: 'v1', groups: [groupOf(api)] });

function groupOf({ group, version }: GroupVersion): object {
  const served = { groupVersion: `${group}/${version}`, version };
  return { name: group, versions: [served], preferredVersion: served };
}

/** GET /apis as kube-apiserver asks for it, with the media type of aggregated discovery: everything in one document (k8s.io/api/apidiscovery/v2, KEP-3352). */
export const groupDiscovery = ({ group, version }: GroupVersion): object => ({
  kind: 'APIGroupDiscoveryList',
  apiVersion: 'apidiscovery.k8s.io/v2',
  metadata: {},
  items: [
    {
      metadata: { name: group },
      versions: [
        {
          version,
          freshness: 'Current',
          resources: [
            {
              resource: names.name,
              responseKind: { group, version, kind: names.kind },
              scope: 'Cluster',
              singularResource: names.singularName,
              verbs: names.verbs,
            },
          ],
        },
      ],
    },
  ],
});
