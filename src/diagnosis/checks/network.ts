import type { Code } from '../catalog.ts';
import type { GoFault } from '../go-errors.ts';
import type { Observation } from '../types.ts';
import { type ApiServerMessage, type Check, type CheckContext, observation, proxyAnswered, quote, seen } from './check.ts';

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
export function explainLostConnection({ snapshot, probes }: CheckContext, message: ApiServerMessage): Observation | undefined {
  const service = seen(snapshot.service);
  const clusterIP = service?.clusterIP ?? '';
  const toClusterIP = /[.:]/.test(clusterIP) && message.text.includes(clusterIP);
  // The host of kube-apiserver itself reports ENETUNREACH, before it selects an endpoint. The
  // service proxy ignores EndpointSlices without Endpoints.
  if (toClusterIP && (proxyAnswered(snapshot) || /network is unreachable/.test(message.text))) {
    const answer = proxyAnswered(snapshot) ? seen(snapshot.serviceProxy) : undefined;
    const evidence = answer ? [`through the service proxy, which connects to the pods: ${answer.status}`] : [];
    return observation('network/cluster-ip-unreachable', [quote(message), ...evidence], { clusterIP });
  }
  const { anonymous } = snapshot;
  const served = probes.some(({ handshake }) => handshake.kind === 'served');
  const silent = anonymous.state === 'unseen' && anonymous.reason === 'unreachable';
  const afterHandshake = /awaiting headers/.test(message.text) && anonymous.state !== 'seen';
  // kube-apiserver did not get as far as the request (net/http: the dialer,
  // errRequestCanceledConn).
  const unconnected = /dial tcp|while waiting for connection/.test(message.text);
  if (message.fault !== 'timeout' || unconnected || !served || !(silent || afterHandshake)) return undefined;
  return observation('discovery/slow', [quote(message), ...(silent ? [`request directly to an endpoint: ${anonymous.words}`] : [])]);
}
