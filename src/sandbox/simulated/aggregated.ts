import type { Agent } from 'node:http';
import { hostPort } from '../../cluster/go-errors.ts';
import { sendText } from '../shared/answer.ts';
import { notSimulated } from '../shared/failure.ts';
import type { RequestInfo } from '../shared/request-info.ts';
import { availableCondition } from './api-service.ts';
import { transportsOf } from './extension-server.ts';
import { forward, type Hop } from './forwarding.ts';
import { apiServiceKind } from './lookup.ts';
import { forwardedHeaders, identityHeaders } from './proxy-headers.ts';
import { resolveEndpoint } from './routes.ts';
import type { Call, Obj, Simulation, Store } from './types.ts';

/** The proxy to extension API servers. */
export interface Aggregator {
  /** Whether the APIService of a request exists and is not Local. */
  owns(info: RequestInfo): boolean;
  /** @throws ApiFailure 501 for an upgrade to another protocol */
  answer(call: Call): Promise<void>;
}

/** k8s.io/apiserver/pkg/util/proxy/proxy.go, aggregatedDiscoveryTimeout. */
const discoveryMs = 5_000;

/** k8s.io/kube-aggregator/pkg/apiserver/handler_proxy.go. */
export const createAggregator = (simulation: Simulation): Aggregator => ({
  owns: ({ path }) => remoteApiService(simulation.store, path) !== undefined,
  async answer(call) {
    const { request, response, info } = call;
    if (/websocket|spdy/i.test(request.headers.upgrade ?? '')) throw notSimulated('WebSockets to extension API servers');
    const hop = hopFor(simulation, call);
    if ('status' in hop) return sendText(response, hop.status, `${hop.message}\n`);
    const fail = (message: string): void => sendText(response, 503, `error trying to reach service: ${message}\n`);
    await forward({ request, response }, hop, { limitMs: isDiscovery(info) ? discoveryMs : undefined, fail });
  },
});

/** @param path - `/apis/GROUP/VERSION`, a path below it, or that of its OpenAPI document */
function remoteApiService(store: Store, path: string): Obj | undefined {
  const [, group, version] = /^(?:\/openapi\/v3)?\/apis\/([^/]+)\/([^/]+)/.exec(path) ?? [];
  const found = version === undefined ? undefined : store.get(apiServiceKind, undefined, `${version}.${group}`);
  return found?.spec.service ? found : undefined;
}

function hopFor(simulation: Simulation, { request, url, info, user }: Call): Hop | { readonly status: number; readonly message: string } {
  const apiService = remoteApiService(simulation.store, info.path);
  const unavailable = { status: 503, message: 'service unavailable' };
  if (!apiService || availableCondition(apiService)?.status !== 'True') return unavailable;
  let agent: Agent;
  try {
    agent = transportsOf(simulation).of(apiService);
  } catch (error) {
    return { status: 500, message: (error as Error).message };
  }
  try {
    const route = resolveEndpoint(simulation.store, apiService.spec.service);
    const host = hostPort(route.host, route.port);
    const forwarded = { 'x-forwarded-host': host, 'x-forwarded-proto': 'https', 'x-forwarded-uri': url.pathname };
    const headers = { ...forwardedHeaders(request, host), ...forwarded, ...identityHeaders(user) };
    return { ...route, agent, path: url.pathname + url.search, headers };
  } catch {
    // kube-apiserver writes the reason to its log only.
    return unavailable;
  }
}

/** Requests that kubectl makes to every API: kube-apiserver limits how long they take. */
const isDiscovery = ({ isResource, path }: RequestInfo): boolean => !isResource && path.replace(/^\/+|\/+$/g, '').split('/').length === 3;
