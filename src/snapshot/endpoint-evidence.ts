import type { DialFault } from '../cluster/handshake.ts';
import { checkServing, type ServingCheck, wouldAccept } from '../pki/trust.ts';
import type { EndpointProbe } from './types.ts';

/**
 * What the TLS handshakes with the endpoints of a Service prove about its servers. A handshake from
 * here may reach another server than kube-apiserver does. From outside the cluster, the address of
 * a pod may lead nowhere, to a proxy, or to another cluster with the same addresses. A port-forward
 * ends at localhost in the pod: a server that listens only on the address of the pod does not
 * answer there, and in the network of the host another server may.
 */

/** What the endpoints must serve. */
export interface Expected extends Omit<ServingCheck, 'presented'> {
  /** SHA-256 of the only serving certificate that is accepted. */
  readonly leaf?: string;
  /** Whether any certificate is accepted: insecureSkipTLSVerify. */
  readonly any?: boolean;
}

/** What kube-apiserver observes of the same endpoints. */
export interface ApiServerSays {
  /**
   * The result of a request through the aggregator: `works` for 200, `fails` for 500 and more.
   * `unknown` without a request, when it is forbidden, or when the answer proves neither.
   */
  readonly api: 'works' | 'fails' | 'unknown';
  /**
   * Why its own connections failed. `other` stands for failures after the connection: certificates
   * and answers.
   */
  readonly faults: readonly DialFault[];
}

/**
 * good: serves the expected certificate. wrong: serves another certificate. faulty: serves no
 * certificate. doubtful: as faulty, but the server may listen on an address that cannot be reached
 * from here. unknown: nothing is proven.
 */
export type Evidence = 'good' | 'wrong' | 'faulty' | 'doubtful' | 'unknown';

/**
 * A probe and what it proves. Where an unrelated server answered, its certificate is replaced by a
 * failure that says so.
 */
export interface JudgedProbe extends EndpointProbe {
  readonly evidence: Evidence;
}

/**
 * Judges the probes of all endpoints of one Service together. One certificate of the right server
 * shows which route (port-forward or address) leads to the pods.
 */
export function judgeEndpoints(probes: readonly EndpointProbe[], expected: Expected, says: ApiServerSays): readonly JudgedProbe[] {
  const reachesServer = (probe: EndpointProbe): boolean =>
    probe.pod !== undefined && probe.handshake.kind === 'served' && !isUnrelated(probe.handshake.certificates, expected);
  const routes = new Set(probes.filter(reachesServer).map(({ via }) => via));
  return probes.map((probe) => {
    const routeIsProven = routes.has(probe.via);
    if (probe.handshake.kind === 'failed')
      return { ...probe, evidence: evidenceOfFailure(probe, probe.handshake.fault, routeIsProven, says) };
    const presented = probe.handshake.certificates;
    if (isExpected(presented, expected) || (expected.any && isSamePlace(probe))) return { ...probe, evidence: 'good' };
    const proven = routeIsProven || !isUnrelated(presented, expected) || isUnrelatedProven(probe, says);
    return proven ? { ...probe, evidence: 'wrong' } : asNoRoute(probe, presented);
  });
}

/**
 * Whether the probe reached the server, whatever its certificate: in the pod itself, or at an
 * address that no pod has, which is the same from everywhere.
 */
const isSamePlace = ({ pod, via }: EndpointProbe): boolean => via === 'pod' || pod === undefined;

type Presented = ServingCheck['presented'];

const isExpected = (presented: Presented, { leaf, ...expected }: Expected): boolean =>
  wouldAccept({ ...expected, presented }) && (leaf === undefined || presented[0]?.fingerprint === leaf);

/**
 * Whether a certificate belongs to an unrelated server: neither its name nor its CA is the expected
 * one.
 */
function isUnrelated(presented: Presented, expected: Expected): boolean {
  const kinds = checkServing({ ...expected, presented }).map(({ kind }) => kind);
  return kinds.includes('unknown-authority') && (kinds.includes('name-mismatch') || kinds.includes('common-name-only'));
}

/**
 * Whether an unrelated certificate is nevertheless the one of the server, although no other
 * endpoint proves the route. An address that no pod has is the same from everywhere. It is not the
 * one of the server when kube-apiserver gets another one: the API works, or its connections fail
 * before the certificate. Otherwise a port-forward is believed, and an address only where the API
 * fails.
 */
function isUnrelatedProven({ pod, via }: EndpointProbe, { api, faults }: ApiServerSays): boolean {
  if (pod === undefined) return true;
  if (api === 'works' || faults.some((fault) => fault !== 'other')) return false;
  return via === 'pod' || api === 'fails' || faults.length > 0;
}

function asNoRoute(probe: EndpointProbe, presented: Presented): JudgedProbe {
  const [leaf] = presented;
  const who = probe.via === 'pod' ? 'another server responds at localhost in the pod' : 'another host responds at this address from here';
  const unrelated = `${who}, with the certificate of ${leaf?.subject || leaf?.dnsNames[0]}`;
  const words = [probe.noForward, unrelated].filter(Boolean).join('; ');
  return { ...probe, handshake: { kind: 'failed', fault: 'no-route', words }, evidence: 'unknown' };
}

function evidenceOfFailure({ pod, via }: EndpointProbe, fault: DialFault, routeIsProven: boolean, says: ApiServerSays): Evidence {
  if (fault === 'no-forward') return 'unknown';
  const proven = via === 'pod' ? isProvenInPod(fault, routeIsProven, says) : isProvenFromHere(pod, fault, routeIsProven, says);
  if (!proven) return 'unknown';
  return fault === 'localhost-refused' && !routeIsProven ? 'doubtful' : 'faulty';
}

/**
 * A failure in the pod is the same from everywhere, and newer than a condition. But where no pod
 * answered by port-forward and kube-apiserver still gets an answer, the route is wrong. A refusal
 * that kube-apiserver confirms does not depend on the route.
 */
const isProvenInPod = (fault: DialFault, routeIsProven: boolean, { api, faults }: ApiServerSays): boolean =>
  routeIsProven || fault === 'refused' || (api !== 'works' && !faults.includes('other'));

/**
 * From outside the cluster, lost packets count only when kube-apiserver reports the same fault, or
 * when the API fails and kube-apiserver gives no reason. A refusal or a broken connection also
 * counts when another pod was reached at its address, or when kube-apiserver fails to connect too.
 * An address that no pod has is the same from everywhere: there it counts unless the API works.
 */
function isProvenFromHere(pod: string | undefined, fault: DialFault, routeIsProven: boolean, { api, faults }: ApiServerSays): boolean {
  const silentlyBroken = api === 'fails' && faults.length === 0;
  if (fault === 'tls-timeout') return silentlyBroken || faults.includes('timeout') || (pod === undefined && api !== 'works');
  if (fault === 'timeout' || fault === 'no-route') return silentlyBroken || faults.includes(fault);
  if (pod === undefined) return api !== 'works';
  return routeIsProven || silentlyBroken || faults.some((each) => each !== 'other');
}
