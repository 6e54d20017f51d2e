import http from 'node:http';
import { sendFailure } from '../shared/answer.ts';
import { ApiFailure, badRequest, notFound, notSimulated } from '../shared/failure.ts';
import type { RequestInfo } from '../shared/request-info.ts';
import { forward, type Hop, refuse } from './forwarding.ts';
import { endpointSlicesOf, podKind, serviceKind } from './lookup.ts';
import { answerLog, upgradePortForward } from './pod-streams.ts';
import { forwardedHeaders } from './proxy-headers.ts';
import { portNamed, type Route, randomEndpoint } from './routes.ts';
import { createTransport } from './transport.ts';
import type { Call, Obj, Simulation, UpgradeCall } from './types.ts';

/** `NAME`, `NAME:PORT` or `SCHEME:NAME:PORT` (k8s.io/apimachinery/pkg/util/net/port_split.go). */
interface Target {
  readonly scheme: string;
  readonly name: string;
  readonly port: string;
}

function targetOf(id: string): Target | undefined {
  const parts = id.split(':');
  const [scheme = '', name = '', port = ''] = parts.length === 3 ? parts : ['', ...parts];
  return parts.length <= 3 && ['', 'http', 'https'].includes(scheme) && name !== '' ? { scheme, name, port } : undefined;
}

/**
 * A subresource by whose path a request leaves the control plane, e.g. `pods/log`; empty for any
 * other request.
 */
const streamed = ({ isResource, group, resource, subresource }: RequestInfo): string =>
  isResource && group === '' ? `${resource}/${subresource}` : '';
const isProxy = (info: RequestInfo): boolean => ['services/proxy', 'pods/proxy'].includes(streamed(info));

/**
 * Answers services/NAME/proxy, pods/NAME/proxy and pods/NAME/log, and says of port-forward that it
 * is none without a WebSocket.
 * @returns whether it was one of them
 * @throws ApiFailure when there is no way to where the request leads
 */
export async function answerSubresource(simulation: Simulation, call: Call): Promise<boolean> {
  if (isProxy(call.info)) await answerProxy(simulation, call);
  else if (streamed(call.info) === 'pods/log') answerLog(simulation, call);
  else if (streamed(call.info) === 'pods/portforward') throw badRequest('Upgrade request required');
  else return false;
  return true;
}

/**
 * Connects port-forward.
 * @returns whether it was that, or a request to a proxy, which upgrades nothing here
 */
export function upgradeSubresource(simulation: Simulation, call: UpgradeCall): boolean {
  const { socket, info } = call;
  if (!isProxy(info) && streamed(info) !== 'pods/portforward') return false;
  try {
    if (isProxy(info)) throw notSimulated(`Upgrades through ${streamed(info)}`);
    upgradePortForward(simulation, call);
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    refuse(socket, error.code, JSON.stringify(error.status()), 'application/json');
  }
  return true;
}

/**
 * Passes a request on without a word of who asks, and without a look at the backend's certificate
 * (k8s.io/kubernetes/pkg/registry/core/service/proxy.go and pod/rest/subresources.go).
 */
function answerProxy(simulation: Simulation, call: Call): Promise<void> {
  const { request, response } = call;
  return forward({ request, response }, hopFor(simulation, call), { fail: (words) => sendFailure(response, unreachable(words)) });
}

function hopFor(simulation: Simulation, { request, url, info }: Pick<UpgradeCall, 'request' | 'url' | 'info'>): Hop {
  const target = targetOf(info.name);
  if (!target) throw badRequest(`invalid ${info.resource === 'pods' ? 'pod' : 'service'} request ${JSON.stringify(info.name)}`);
  const route = info.resource === 'pods' ? podRoute(simulation, info.namespace, target) : serviceRoute(simulation, info.namespace, target);
  const headers = { ...forwardedHeaders(request, request.headers.host ?? ''), 'x-forwarded-uri': url.pathname };
  return { ...route, agent: agentFor(simulation, target.scheme), path: pathBelow(url) + url.search, headers };
}

const httpsAgents = new WeakMap<Simulation, http.Agent>();

function agentFor(simulation: Simulation, scheme: string): http.Agent {
  if (scheme !== 'https') return http.globalAgent;
  const agent = httpsAgents.get(simulation) ?? createTransport({}, simulation);
  httpsAgents.set(simulation, agent);
  return agent;
}

const unreachable = (words: string): ApiFailure => new ApiFailure(503, 'ServiceUnavailable', `error trying to reach service: ${words}`);

/** What follows /api/v1/namespaces/NAMESPACE/services/NAME/proxy. */
const pathBelow = ({ pathname }: URL): string => /^(?:\/[^/]*){7}(.*)$/.exec(pathname)?.[1] || '/';

function serviceRoute({ store }: Simulation, namespace: string, { name, port }: Target): Route {
  const service = store.get(serviceKind, namespace, name);
  const byNumber = /^\d+$/.test(port);
  if (byNumber && !service) throw notFound(serviceKind, name);
  const portName = byNumber ? portNamed(service, Number(port)) : port;
  // Only to addresses that are those of pods.
  const isPods = ({ targetRef, addresses }: Obj): boolean => {
    const pod = targetRef?.namespace === namespace ? store.get(podKind, namespace, targetRef.name) : undefined;
    return pod?.status?.podIPs?.some(({ ip }: Obj) => ip === addresses[0]) ?? false;
  };
  return randomEndpoint(endpointSlicesOf(store, namespace, name), name, portName, isPods);
}

function podRoute({ store }: Simulation, namespace: string, { scheme, name, port }: Target): Route {
  const pod = store.get(podKind, namespace, name);
  if (!pod) throw notFound(podKind, name);
  const host = pod.status?.podIPs?.[0]?.ip;
  // kube-apiserver refuses loopback addresses too; here they are those of all pods.
  if (host === undefined) throw badRequest('address not allowed');
  const declared = pod.spec.containers.flatMap(({ ports = [] }: Obj) => ports)[0]?.containerPort;
  return { host, port: Number(port || declared || (scheme === 'https' ? 443 : 80)) };
}
