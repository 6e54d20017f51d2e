import type { Agent, ServerResponse } from 'node:http';
import { sendText } from '../shared/answer.ts';
import type { RequestInfo } from '../shared/request-info.ts';
import { availableCondition } from './api-service.ts';
import { transportsOf } from './extension-server.ts';
import { forward, type Hop, refuse, tunnel } from './forwarding.ts';
import { hostPort } from './go-errors.ts';
import { goPath, goQuery } from './go-url.ts';
import { apiServiceKind } from './lookup.ts';
import { forwardedHeaders, identityHeaders } from './proxy-headers.ts';
import { resolveEndpoint } from './routes.ts';
import type { Call, Obj, Simulation, Store, UpgradeCall } from './types.ts';

/** The part of a simulation that passes requests on to extension API servers. */
export interface Aggregator {
  /** Whether an extension API server is to answer: its APIService is there, and not Local. */
  owns(info: RequestInfo): boolean;
  answer(call: Call): Promise<void>;
  upgrade(call: UpgradeCall): void;
}

/** k8s.io/apiserver/pkg/util/proxy/proxy.go, aggregatedDiscoveryTimeout. */
const discoveryMs = 5_000;

/** Why a request goes no further. */
interface Refusal {
  readonly status: number;
  readonly words: string;
}

/** Passes requests on as k8s.io/kube-aggregator/pkg/apiserver/handler_proxy.go does. */
export const createAggregator = (simulation: Simulation): Aggregator => ({
  owns: ({ path }) => remoteApiService(simulation.store, path) !== undefined,
  async answer(call) {
    const { request, response, info } = call;
    const found = hopFor(simulation, call);
    if ('status' in found) return sendText(response, found.status, `${found.words}\n`);
    const host = hostPort(found.host, found.port);
    const headers = {
      ...found.headers,
      ...auditId(response),
      'x-forwarded-host': host,
      'x-forwarded-proto': 'https',
      'x-forwarded-uri': goPath(call.url.pathname),
    };
    await forward(
      { request, response },
      { ...found, headers },
      {
        refuseRedirects: true,
        limitMs: isDiscovery(info) ? discoveryMs : undefined,
        fail: (words) => sendText(response, 503, `error trying to reach service: ${words}\n`),
      },
    );
  },
  upgrade(call) {
    const found = hopFor(simulation, call);
    const { request, socket, head } = call;
    if ('status' in found) return refuse(socket, found.status, found.words);
    tunnel(request, socket, head, found, (words) => refuse(socket, 503, words));
  },
});

/** @param path - `/apis/GROUP/VERSION`, or what is below it, or its document of OpenAPI */
function remoteApiService(store: Store, path: string): Obj | undefined {
  const [, group, version] = /^(?:\/openapi\/v3)?\/apis\/([^/]+)\/([^/]+)/.exec(path) ?? [];
  const found = version === undefined ? undefined : store.get(apiServiceKind, undefined, `${version}.${group}`);
  return found?.spec.service ? found : undefined;
}

function hopFor(
  simulation: Simulation,
  { request, url, info, user }: Pick<UpgradeCall, 'request' | 'url' | 'info' | 'user'>,
): Hop | Refusal {
  const apiService = remoteApiService(simulation.store, info.path);
  const unavailable = { status: 503, words: 'service unavailable' };
  if (!apiService || availableCondition(apiService)?.status !== 'True') return unavailable;
  let agent: Agent;
  try {
    agent = transportsOf(simulation).of(apiService);
  } catch (error) {
    return { status: 500, words: (error as Error).message };
  }
  try {
    const route = resolveEndpoint(simulation.store, apiService.spec.service);
    const headers = { ...forwardedHeaders(request, hostPort(route.host, route.port)), ...identityHeaders(user) };
    return { ...route, agent, path: goPath(url.pathname) + goQuery(url.searchParams), headers };
  } catch {
    // The reason goes to the log of kube-apiserver alone.
    return unavailable;
  }
}

/** What everybody's kubectl asks for; kube-apiserver does not wait for it as it does for others. */
const isDiscovery = ({ isResource, path }: RequestInfo): boolean => !isResource && path.replace(/^\/+|\/+$/g, '').split('/').length === 3;

const auditId = (response: ServerResponse): { 'audit-id'?: string } => {
  const id = response.getHeader('audit-id');
  return id === undefined ? {} : { 'audit-id': String(id) };
};
