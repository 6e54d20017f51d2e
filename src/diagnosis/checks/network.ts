import type { Code } from '../catalog.ts';
import type { GoFault } from '../go-words.ts';
import type { Observation } from '../types.ts';
import { type Check, type CheckContext, observation, proxyAnswered, quote, seen, type Words } from './check.ts';

/** Faults between kube-apiserver and the network of the pods, as kube-apiserver speaks of them. */
export const networkWords: Partial<Record<GoFault, Code>> = {
  'no-agent': 'network/no-konnectivity-agent',
  'address-not-allowed': 'network/address-not-allowed',
  'http-proxy': 'network/proxy-in-the-way',
  lost: 'network/connection-lost',
};

/** What only kube-apiserver meets: nothing seen from here can speak for or against it. */
export const checkNetwork: Check = ({ words, probes }) => {
  const spoken = words.find(({ fault }) => fault && networkWords[fault]);
  const code = spoken?.fault && networkWords[spoken.fault];
  // Where endpoints end the connection here too, it is they and not the way.
  const alsoHere = probes.some(({ handshake, evidence }) => handshake.kind === 'failed' && evidence !== 'unknown');
  if (!spoken || !code || (spoken.fault === 'lost' && alsoHere)) return [];
  return [observation(code, [quote(spoken)])];
};

/**
 * What loses the packets of kube-apiserver where the endpoints are known to be in order. The service proxy connects to the pods themselves
 * (k8s.io/kubernetes/pkg/registry/core/service/storage, ResourceLocation), the aggregator mostly to the cluster IP.
 * @param spoken words of kube-apiserver that speak of a lost connection
 * @returns undefined where the endpoints themselves may be at fault
 */
export function elsewhere({ snapshot, probes }: CheckContext, spoken: Words): Observation | undefined {
  const service = seen(snapshot.service);
  const clusterIP = service?.clusterIP ?? '';
  const toClusterIP = /[.:]/.test(clusterIP) && spoken.text.includes(clusterIP);
  // ENETUNREACH comes from the machine itself, before it knows of an endpoint. The service proxy does not go to EndpointSlices without Endpoints.
  if (toClusterIP && (proxyAnswered(snapshot) || /network is unreachable/.test(spoken.text))) {
    const answer = proxyAnswered(snapshot) ? seen(snapshot.serviceProxy) : undefined;
    const evidence = answer ? [`through the service proxy, which connects to the pods: ${answer.status}`] : [];
    return observation('network/cluster-ip-unreachable', [quote(spoken), ...evidence], { clusterIP });
  }
  const { anonymous } = snapshot;
  const served = probes.some(({ handshake }) => handshake.kind === 'served');
  const silent = anonymous.state === 'unseen' && anonymous.reason === 'unreachable';
  const afterHandshake = /awaiting headers/.test(spoken.text) && anonymous.state !== 'seen';
  // It did not get as far as a request (net/http: the dialer, errRequestCanceledConn), whatever we get.
  const unconnected = /dial tcp|while waiting for connection/.test(spoken.text);
  if (spoken.fault !== 'timeout' || unconnected || !served || !(silent || afterHandshake)) return undefined;
  return observation('discovery/slow', [quote(spoken), ...(silent ? [`a request straight at an endpoint: ${anonymous.words}`] : [])]);
}
