import { sendJson } from '../shared/answer.ts';
import { notAllowed, notServed } from '../shared/failure.ts';
import type { RemoteDiscovery } from './aggregated-discovery.ts';
import { apiGroups } from './api-groups.ts';
import { apiVersionOf, kinds, questions } from './kinds.ts';
import { accepted } from './representation.ts';
import type { Call, Kind, Obj, Simulation } from './types.ts';

/**
 * APIServices are not registered by one of themselves; their group comes first
 * (k8s.io/kube-aggregator/pkg/apiserver/handler_apis.go).
 */
const first = 'apiregistration.k8s.io';
const crud = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const everything = [...kinds, ...questions].sort((one, other) => (one.plural < other.plural ? -1 : 1));

/** Whether this group has kinds that are served here. */
export const isBuiltIn = (group: string): boolean => everything.some((kind) => kind.group === group);

function verbsOf(kind: Kind): readonly string[] {
  if (questions.includes(kind)) return ['create'];
  return kind.kind === 'Namespace' ? crud.filter((verb) => verb !== 'deletecollection') : crud;
}

const subresourcesOf = (kind: Kind): NonNullable<Kind['subresources']> => {
  const status = { name: 'status', kind: kind.kind, verbs: ['get', 'patch', 'update'] };
  return [...(kind.subresources ?? []), ...(kind.status ? [status] : [])].sort((one, other) => (one.name < other.name ? -1 : 1));
};

/**
 * Answers what is asked about the API itself: /api, /apis and what is right below them, in the old
 * form and the aggregated one of KEP-3352.
 * @returns whether it was that.
 * @throws ApiFailure 404 for a version that a group does not have
 */
export function answerDiscovery({ store }: Pick<Simulation, 'store'>, remote: RemoteDiscovery, call: Call): boolean {
  const parts = call.info.path.split('/').filter(Boolean);
  const [prefix, ...rest] = parts;
  const [group, version] = prefix === 'apis' ? rest : ['', ...rest];
  if (prefix !== 'api' && prefix !== 'apis') return false;
  // Only /apis itself is no path of go-restful, and does not mind.
  const isRead = call.request.method === 'GET' || call.info.path === '/apis';
  if (!isRead && isBuiltIn(group ?? '') && rest.length <= (prefix === 'apis' ? 2 : 1)) throw notAllowed();
  if (version !== undefined && rest.length === (prefix === 'apis' ? 2 : 1)) return answerResources(call, group ?? '', version);
  if (prefix === 'apis' && rest.length === 1) {
    const found = [registrations, ...apiGroups(store)].find(({ name }) => name === group);
    if (found) sendJson(call, 200, { kind: 'APIGroup', apiVersion: 'v1', ...found });
    return found !== undefined;
  }
  if (rest.length > 0) return false;
  if (wantsAggregated(call)) {
    const names = prefix === 'api' ? [''] : [first, ...apiGroups(store).map(({ name }) => name)];
    const groups = names.map((name) => aggregated(name, remote)).filter(({ versions }) => versions.length > 0);
    call.response.setHeader('vary', 'Accept');
    call.response.setHeader('cache-control', 'public');
    sendJson(
      call,
      200,
      { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items: groups },
      aggregatedType,
    );
  } else if (prefix === 'api') {
    const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress: call.request.headers.host }];
    sendJson(call, 200, { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs });
  } else {
    sendJson(call, 200, { kind: 'APIGroupList', apiVersion: 'v1', groups: [registrations, ...apiGroups(store)] });
  }
  return true;
}

const registrationsVersion = { groupVersion: `${first}/v1`, version: 'v1' };
const registrations = { name: first, versions: [registrationsVersion], preferredVersion: registrationsVersion };

const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

const wantsAggregated = ({ request }: Call): boolean => {
  const form = accepted(
    request,
    ({ g, v, as }) => as === undefined || (g === 'apidiscovery.k8s.io' && v === 'v2' && as === 'APIGroupDiscoveryList'),
  );
  return form.as !== undefined;
};

function answerResources(call: Call, group: string, version: string): boolean {
  const found = everything.filter((kind) => kind.group === group && kind.version === version);
  if (found.length === 0 && isBuiltIn(group)) throw notServed();
  if (found.length === 0) return false;
  const resources = found.flatMap((kind) => [
    { name: kind.plural, singularName: kind.kind.toLowerCase(), ...common(kind), verbs: verbsOf(kind), ...names(kind) },
    ...subresourcesOf(kind).map(({ name, ...subresource }) => ({
      name: `${kind.plural}/${name}`,
      singularName: '',
      namespaced: kind.namespaced,
      ...subresource,
    })),
  ]);
  // The list of the core group has no apiVersion.
  sendJson(call, 200, {
    kind: 'APIResourceList',
    ...(group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion: apiVersionOf({ group, version }),
    resources,
  });
  return true;
}

const common = ({ namespaced, kind }: Kind): Obj => ({ namespaced, kind });
const names = ({ shortNames, categories }: Kind): Obj => ({ ...(shortNames ? { shortNames } : {}), ...(categories ? { categories } : {}) });

/** An APIGroupDiscovery: the versions that are served here, and those of extension API servers. */
function aggregated(group: string, remote: RemoteDiscovery): { readonly metadata: Obj; readonly versions: readonly Obj[] } {
  const own = everything.filter((kind) => kind.group === group);
  const versions = [...new Set(own.map(({ version }) => version))].map((version) => ({
    version,
    resources: own.filter((kind) => kind.version === version).map(aggregatedResource),
    freshness: 'Current',
  }));
  const others = remote.groups().find((each) => each.group.metadata.name === group)?.group.versions ?? [];
  return { metadata: group === '' ? {} : { name: group }, versions: [...versions, ...others] };
}

const aggregatedResource = (kind: Kind): Obj => {
  const subresources = subresourcesOf(kind).map(({ name, verbs, kind, group = '', version = '' }) => ({
    subresource: name,
    responseKind: { group, version, kind },
    verbs,
  }));
  return {
    resource: kind.plural,
    responseKind: { group: '', version: '', kind: kind.kind },
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.kind.toLowerCase(),
    verbs: verbsOf(kind),
    ...names(kind),
    ...(subresources.length > 0 ? { subresources } : {}),
  };
};
