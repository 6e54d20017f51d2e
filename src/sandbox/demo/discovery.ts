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
