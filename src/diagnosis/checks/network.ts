import type { ApiSnapshot } from '../../snapshot/types.ts';
import type { Code } from '../catalog.ts';
import type { GoFault } from '../go-errors.ts';
import type { Observation } from '../types.ts';
import { type ApiServerMessage, type Check, type CheckContext, observation, proxyAnswered, quote, seen } from './check.ts';
import { observedEnd, whereRequestsEnd } from './request-end.ts';

/** The faults between kube-apiserver and the pod network, in messages of kube-apiserver. */
export const networkCodes: Partial<Record<GoFault, Code>> = {
  'no-agent': 'network/no-konnectivity-agent',
  'address-not-allowed': 'network/address-not-allowed',
  'http-proxy': 'network/proxy-in-the-way',
  lost: 'network/connection-lost',
};

/** Faults that only kube-apiserver can observe. */
export const checkNetwork: Check = ({ messages, probes }) => {
  const message = messages.find(({ fault }) => fault && networkCodes[fault]);
  const code = message?.fault && networkCodes[message.fault];
  // If an endpoint also closes the connection from here, the endpoint is at fault.
  const alsoHere = probes.some(({ handshake, evidence }) => handshake.kind === 'failed' && evidence !== 'unknown');
  if (!message || !code || (message.fault === 'lost' && alsoHere)) return [];
  return [observation(code, [quote(message)])];
};

/**
 * Explains a connection that kube-apiserver lost although the endpoints work. The service proxy
 * connects to the pods (k8s.io/kubernetes/pkg/registry/core/service/storage, ResourceLocation), the
 * aggregator usually to the cluster IP.
 * @param message the message of kube-apiserver about the lost connection
 * @returns undefined if the endpoints may be at fault
 */
export function explainLostConnection(context: CheckContext, message: ApiServerMessage): Observation | undefined {
  return explainTimeout(context, message) ?? explainClusterIp(context.snapshot, message);
}

/**
 * The answer of kube-apiserver to a discovery request that its server did not answer in 5 seconds
 * (kube-aggregator pkg/apiserver/handler_proxy.go, aggregatedDiscoveryTimeout). It does not say
 * whether kube-apiserver connected.
 */
const forwardingTimedOut = /^error trying to reach service: context deadline exceeded\s*$/;

/** A request that was sent, and not answered in time. */
function explainTimeout(context: CheckContext, message: ApiServerMessage): Observation | undefined {
  // kube-apiserver did not get as far as the request (net/http: the dialer,
  // errRequestCanceledConn).
  const unconnected = /dial tcp|while waiting for connection/.test(message.text);
  if (message.fault !== 'timeout' || unconnected) return undefined;
  const end = whereRequestsEnd(context);
  const served = context.probes.some(({ handshake }) => handshake.kind === 'served');
  const evidence = [quote(message), ...observedEnd(context)];
  const forwarded = forwardingTimedOut.test(message.text);
  // Go says it of some connections too that it could not open.
  const awaiting = /awaiting headers/.test(message.text);
  const answersHere = context.snapshot.anonymous.state === 'seen';
  if (end === 'unknown' && (forwarded || (awaiting && answersHere))) return observation('discovery/no-answer', evidence);
  const sent = awaiting && end !== 'network';
  const silent = served && end === 'server' && (forwarded || !proxyAnswered(context.snapshot));
  return sent || silent ? observation('discovery/slow', evidence) : undefined;
}

function explainClusterIp(snapshot: ApiSnapshot, message: ApiServerMessage): Observation | undefined {
  const clusterIP = seen(snapshot.service)?.clusterIP ?? '';
  const toClusterIP = /[.:]/.test(clusterIP) && message.text.includes(clusterIP);
  const answered = proxyAnswered(snapshot);
  // The host of kube-apiserver itself reports ENETUNREACH, before it selects an endpoint. The
  // service proxy ignores EndpointSlices without Endpoints.
  if (!toClusterIP || !(answered || /network is unreachable/.test(message.text))) return undefined;
  const answer = answered ? seen(snapshot.serviceProxy) : undefined;
  const evidence = answer ? [`request through the service proxy, which connects to the pods: ${answer.status}`] : [];
  return observation('network/cluster-ip-unreachable', [quote(message), ...evidence], { clusterIP });
}
