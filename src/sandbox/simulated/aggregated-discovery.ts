import { text } from 'node:stream/consumers';
import { runApiServiceController } from './api-service-controller.ts';
import { ask, type Question, transportsOf } from './extension-server.ts';
import { apiServiceKind } from './lookup.ts';
import { resolveEndpoint } from './routes.ts';
import type { Obj, Simulation, StoreEvent } from './types.ts';

/** What extension API servers serve, as they last answered. */
export interface RemoteDiscovery {
  /** An APIVersionDiscovery (apidiscovery.k8s.io/v2) by the name of its APIService. */
  versions(): ReadonlyMap<string, Obj>;
  /** Their entries of the index /openapi/v3; the aggregator serves the documents. */
  openApi(): OpenApiPaths;
}

export type OpenApiPaths = Readonly<Record<string, { readonly serverRelativeURL: string }>>;

/** k8s.io/kube-aggregator/pkg/apiserver/handler_discovery.go. */
const refreshMs = 60_000;
const retryMs = 500;
const limitMs = 5_000;
const acceptV2 = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** Asks extension API servers when their APIService changes, and once a minute. */
export function createRemoteDiscovery(simulation: Simulation): RemoteDiscovery {
  const { store } = simulation;
  const versions = new Map<string, Obj>();
  const openApi = new Map<string, OpenApiPaths>();
  const work = async (name: string): Promise<void> => {
    const apiService = store.get(apiServiceKind, undefined, name);
    if (!apiService?.spec.service) {
      versions.delete(name);
      openApi.delete(name);
      return;
    }
    try {
      versions.set(name, { ...(await served(simulation, apiService)), freshness: 'Current' });
    } catch (error) {
      versions.set(name, { version: apiService.spec.version, freshness: 'Stale' });
      throw error;
    }
    openApi.set(name, await openApiPaths(simulation, apiService));
  };
  const concernedBy = ({ kind, object }: StoreEvent): string[] => (kind === apiServiceKind ? [object.metadata.name] : []);
  runApiServiceController(simulation, { work, concernedBy, everyMs: refreshMs, retryMs });
  return { versions: () => versions, openApi: () => Object.assign({}, ...openApi.values()) };
}

/** One GET from the server of an APIService, over the connections of the proxy. */
async function get(
  simulation: Simulation,
  apiService: Obj,
  question: Omit<Question, 'limitMs'>,
): Promise<{ readonly status: number; readonly type: string; readonly body: string }> {
  const agent = transportsOf(simulation).of(apiService);
  const answer = await ask(agent, resolveEndpoint(simulation.store, apiService.spec.service), { ...question, limitMs });
  return { status: answer.statusCode ?? 0, type: answer.headers['content-type'] ?? '', body: await text(answer) };
}

/** @returns an APIVersionDiscovery, from aggregated or else from legacy discovery @throws Error */
async function served(simulation: Simulation, apiService: Obj): Promise<Obj> {
  const { group, version } = apiService.spec;
  const as = { name: 'system:kube-aggregator', groups: ['system:masters'] };
  const all = await get(simulation, apiService, { path: '/apis', as, accept: acceptV2 });
  if (all.status === 503) throw new Error('service returned non-success response code: 503');
  if (all.status === 200 && isV2(all.type)) {
    const found = JSON.parse(all.body).items?.find(({ metadata }: Obj) => metadata.name === group);
    const { resources } = found?.versions?.find((each: Obj) => each.version === version) ?? {};
    return { version, ...(resources?.length ? { resources } : {}) };
  }
  const one = await get(simulation, apiService, { path: `/apis/${group}/${version}`, as, accept: 'application/json' });
  if (one.status !== 200) throw new Error(`failed to download legacy discovery: ${one.status}`);
  const resources = convertResources(JSON.parse(one.body).resources ?? []);
  return { version, ...(resources.length > 0 ? { resources } : {}) };
}

const isV2 = (contentType: string): boolean =>
  ['g=apidiscovery.k8s.io', 'v=v2', 'as=APIGroupDiscoveryList'].every((part) => contentType.split(/\s*;\s*/).includes(part));

/**
 * Converts the resources of an APIResourceList to apidiscovery.k8s.io/v2
 * (k8s.io/apiserver/pkg/endpoints/installer.go, ConvertGroupVersionIntoToDiscovery).
 */
export function convertResources(list: readonly Obj[]): Obj[] {
  const responseKind = ({ group = '', version = '', kind = '' }: Obj): Obj => ({ group, version, kind });
  const subresourcesOf = (parent: string): Obj[] =>
    list
      .filter(({ name }) => name.startsWith(`${parent}/`))
      .map((each) => ({ subresource: each.name.slice(parent.length + 1), responseKind: responseKind(each), verbs: each.verbs }));
  return list
    .filter(({ name }) => !name.includes('/'))
    .map((resource) => ({
      resource: resource.name,
      responseKind: responseKind(resource),
      scope: resource.namespaced ? 'Namespaced' : 'Cluster',
      singularResource: resource.singularName ?? '',
      verbs: resource.verbs,
      ...(resource.shortNames ? { shortNames: resource.shortNames } : {}),
      ...(resource.categories ? { categories: resource.categories } : {}),
      ...(subresourcesOf(resource.name).length > 0 ? { subresources: subresourcesOf(resource.name) } : {}),
    }));
}

/**
 * The OpenAPI v3 documents of the group; none where the server lists none
 * (k8s.io/kube-aggregator/pkg/controllers/openapiv3/aggregator/downloader.go).
 */
async function openApiPaths(simulation: Simulation, apiService: Obj): Promise<OpenApiPaths> {
  const { status, body } = await get(simulation, apiService, { path: '/openapi/v3', as: { name: 'system:aggregator', groups: [] } });
  if (status !== 200) return {};
  const own = `apis/${apiService.spec.group}`;
  const paths = Object.entries<OpenApiPaths[string]>(JSON.parse(body).paths ?? {});
  return Object.fromEntries(paths.filter(([path]) => path === own || path.startsWith(`${own}/`)));
}
