import type { Obj } from './types.ts';

const noKind = { group: '', version: '', kind: '' };

/**
 * The resources of an APIResourceList as apidiscovery.k8s.io/v2 has them, subresources below their
 * resource (k8s.io/apiserver/pkg/endpoints/installer.go, ConvertGroupVersionIntoToDiscovery).
 * @throws Error when a subresource is not in the scope of its resource
 */
export function convertResources(list: readonly Obj[]): Obj[] {
  const converted = list.filter(({ name }) => !name.includes('/')).map(resourceOf);
  for (const each of list.filter(({ name }) => name.includes('/'))) {
    const [parent, ...rest] = each.name.split('/');
    const known = converted.find(({ resource }) => resource === parent);
    const owner = known ?? { resource: parent, responseKind: noKind, scope: scopeOf(each), singularResource: '', verbs: null };
    if (!known) converted.push(owner);
    if (owner.scope !== scopeOf(each)) throw new Error(`Parent ${parent} and subresource ${rest.join('/')} scope do not match`);
    owner.subresources = [
      ...(owner.subresources ?? []),
      { subresource: rest.join('/'), responseKind: each.kind ? kindOf(each) : noKind, verbs: each.verbs },
    ];
  }
  return converted;
}

const resourceOf = (resource: Obj): Obj => ({
  resource: resource.name,
  responseKind: kindOf(resource),
  scope: scopeOf(resource),
  singularResource: resource.singularName ?? '',
  verbs: resource.verbs,
  ...(resource.shortNames ? { shortNames: resource.shortNames } : {}),
  ...(resource.categories ? { categories: resource.categories } : {}),
});

const scopeOf = ({ namespaced }: Obj): string => (namespaced ? 'Namespaced' : 'Cluster');
const kindOf = ({ group = '', version = '', kind = '' }: Obj): Obj => ({ group, version, kind });

/**
 * Clients of Kubernetes 1.26 stumble over a resource without a kind
 * (https://github.com/kubernetes/kubernetes/issues/118361).
 */
export const withResponseKinds = (resources: readonly Obj[]): Obj[] =>
  resources.map(({ resource, responseKind = noKind, subresources, ...rest }) => {
    const known = subresources?.map(({ subresource, ...each }: Obj) => ({ subresource, responseKind: noKind, ...each }));
    return { resource, responseKind, ...rest, ...(known ? { subresources: known } : {}) };
  });
