import { text } from 'node:stream/consumers';
import { sortedByGroup } from './api-groups.ts';
import { runController } from './controller.ts';
import { ask, type Question, transportsOf } from './extension-server.ts';
import { convertResources, withResponseKinds } from './legacy-discovery.ts';
import { apiServiceKind, apiServicesIn } from './lookup.ts';
import { resolveEndpoint } from './routes.ts';
import type { Obj, Simulation, StoreEvent } from './types.ts';

/** What extension API servers say that they serve, as it was last heard. */
export interface RemoteDiscovery {
  /**
   * The groups of which a version is not Local, by priority, with those versions in the order of
   * theirs.
   */
  groups(): readonly RemoteGroup[];
  /**
   * What they add to the index /openapi/v3; the documents themselves are asked of the aggregator.
   */
  openApi(): OpenApiPaths;
}

export type OpenApiPaths = Readonly<Record<string, { readonly serverRelativeURL: string }>>;

/** An entry of an APIGroupDiscoveryList, and where it belongs in it. */
export interface RemoteGroup {
  readonly priority: number;
  /** apidiscovery.k8s.io/v2, APIGroupDiscovery. */
  readonly group: { readonly metadata: { readonly name: string }; readonly versions: readonly Obj[] };
}

/** k8s.io/kube-aggregator/pkg/apiserver/handler_discovery.go. */
const refreshMs = 60_000;
const backoff = { firstMs: 500, lastMs: refreshMs };
const limitMs = 5_000;
const acceptV2 = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/**
 * Keeps asking extension API servers what they serve, until the simulation ends: when an APIService
 * changes, its condition included, and once a minute.
 */
export function createRemoteDiscovery(simulation: Simulation): RemoteDiscovery {
  const { store } = simulation;
  const heard = new Map<string, Obj>();
  const openApi = new Map<string, OpenApiPaths>();
  const work = async (name: string): Promise<void> => {
    const apiService = store.get(apiServiceKind, undefined, name);
    if (!apiService?.spec.service) {
      heard.delete(name);
      openApi.delete(name);
      return;
    }
    try {
      heard.set(name, { ...(await served(simulation, apiService)), freshness: 'Current' });
    } catch (error) {
      // It is there, and what it serves is not known any more.
      heard.set(name, { version: apiService.spec.version, freshness: 'Stale' });
      throw error;
    }
    openApi.set(name, await openApiPaths(simulation, apiService));
  };
  const concernedBy = ({ kind, object }: StoreEvent): string[] => (kind === apiServiceKind ? [object.metadata.name] : []);
  runController(simulation, { work, concernedBy, everyMs: refreshMs, backoff });
  const heardOf = (): readonly Obj[] => apiServicesIn(store).filter(({ metadata }) => heard.has(metadata.name));
  return {
    groups: () => sortedByGroup(heardOf()).map((apiServices) => groupOf(apiServices, heard)),
    openApi: () => Object.assign({}, ...openApi.values()),
  };
}

const groupOf = (apiServices: readonly Obj[], heard: ReadonlyMap<string, Obj>): RemoteGroup => ({
  priority: Math.max(...apiServices.map(({ spec }) => spec.groupPriorityMinimum)),
  group: { metadata: { name: apiServices[0]?.spec.group }, versions: apiServices.map(({ metadata }) => heard.get(metadata.name)) },
});

/** One question to the server of an APIService, over the connections of the proxy. */
async function fetchText(
  simulation: Simulation,
  apiService: Obj,
  question: Omit<Question, 'limitMs'>,
): Promise<{ readonly status: number; readonly type: string; readonly body: string }> {
  const agent = transportsOf(simulation).of(apiService);
  const answer = await ask(agent, resolveEndpoint(simulation.store, apiService.spec.service), { ...question, limitMs });
  return { status: answer.statusCode ?? 0, type: answer.headers['content-type'] ?? '', body: await text(answer) };
}

/**
 * What the server says of this group and version, asked in the new way and else in the old one.
 * @returns an APIVersionDiscovery
 * @throws Error when it says nothing
 */
async function served(simulation: Simulation, apiService: Obj): Promise<Obj> {
  const { group, version } = apiService.spec;
  const name = 'system:kube-aggregator';
  const all = await fetchText(simulation, apiService, { path: '/apis', as: { name, groups: ['system:masters'] }, accept: acceptV2 });
  if (all.status === 503) throw new Error('service returned non-success response code: 503');
  if (all.status === 200 && isV2(all.type)) {
    const found = JSON.parse(all.body).items?.find(({ metadata }: Obj) => metadata.name === group);
    const { resources } = found?.versions?.find((each: Obj) => each.version === version) ?? {};
    return resources?.length ? { version, resources: withResponseKinds(resources) } : { version };
  }
  const one = await fetchText(simulation, apiService, {
    path: `/apis/${group}/${version}`,
    as: { name, groups: [] },
    accept: 'application/json',
  });
  if (one.status !== 200) throw new Error(`failed to download legacy discovery: ${one.status}`);
  const resources = convertResources(JSON.parse(one.body).resources ?? []);
  return { version, ...(resources.length > 0 ? { resources } : {}) };
}

/**
 * The documents of the group that the server lists
 * (pkg/controllers/openapiv3/aggregator/downloader.go); none where it has no OpenAPI v3.
 */
async function openApiPaths(simulation: Simulation, apiService: Obj): Promise<OpenApiPaths> {
  const { status, body } = await fetchText(simulation, apiService, { path: '/openapi/v3', as: { name: 'system:aggregator', groups: [] } });
  if (status !== 200) return {};
  const own = `apis/${apiService.spec.group}`;
  const paths = Object.entries<OpenApiPaths[string]>(JSON.parse(body).paths ?? {});
  return Object.fromEntries(paths.filter(([path]) => path === own || path.startsWith(`${own}/`)));
}

const isV2 = (contentType = ''): boolean =>
  ['g=apidiscovery.k8s.io', 'v=v2', 'as=APIGroupDiscoveryList'].every((part) => contentType.split(/\s*;\s*/).includes(part));
