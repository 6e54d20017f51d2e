import type { DialFault } from '../cluster/handshake.ts';
import { checkServing, type ServingCheck, wouldAccept } from '../pki/trust.ts';
import type { EndpointProbe } from './types.ts';

/**
 * What the handshakes with the endpoints of a Service prove of its servers, wherever they were made. Two things stand between a handshake and the server that
 * kube-apiserver meets. The address of a pod leads elsewhere from outside the cluster: nowhere, or to a proxy, or to another cluster with the same addresses.
 * And a port-forward ends at localhost in the pod, where a server that is bound to the pod's address is not; in the host's network somebody else may be.
 */

/** What the endpoints are held against. */
export interface Expected extends Omit<ServingCheck, 'presented'> {
  /** SHA-256 of the serving certificate, where no other will do. */
  readonly leaf?: string;
  /** Whether any certificate will do: insecureSkipTLSVerify. */
  readonly any?: boolean;
}

/** What kube-apiserver, which is where it matters, says of the same endpoints. */
export interface ApiServerSays {
  /** What a request through the aggregator came to: 200, or 500 and more; `unknown` where nobody asked, was allowed to, or where the answer proves neither. */
  readonly api: 'works' | 'fails' | 'unknown';
  /** What failed of its own connections; `other` for what came after the connection: certificates, answers. */
  readonly faults: readonly DialFault[];
}

/**
 * good: serves what is expected. wrong: serves another certificate. faulty: does not get as far as a certificate. doubtful: the same, but its server may
 * listen where it can't be seen. unknown: nothing is proven.
 */
export type Evidence = 'good' | 'wrong' | 'faulty' | 'doubtful' | 'unknown';

/** A probe and what it proves. A certificate that is a stranger's has become a failure whose words say so. */
export interface JudgedProbe extends EndpointProbe {
  readonly evidence: Evidence;
}

/** Judges the probes of all endpoints of one Service together: one that is the server's shows which ways lead to it. */
export function judgeEndpoints(probes: readonly EndpointProbe[], expected: Expected, says: ApiServerSays): readonly JudgedProbe[] {
  const leadsThere = (probe: EndpointProbe): boolean =>
    probe.pod !== undefined && probe.handshake.kind === 'served' && !isStrangers(probe.handshake.certificates, expected);
  const ways = new Set(probes.filter(leadsThere).map(({ via }) => via));
  return probes.map((probe) => {
    const wayIsRight = ways.has(probe.via);
    if (probe.handshake.kind === 'failed') return { ...probe, evidence: evidenceOfFailure(probe, probe.handshake.fault, wayIsRight, says) };
    const presented = probe.handshake.certificates;
    if (isExpected(presented, expected) || (expected.any && isSamePlace(probe))) return { ...probe, evidence: 'good' };
    const proven = wayIsRight || !isStrangers(presented, expected) || isStrangerProven(probe, says);
    return proven ? { ...probe, evidence: 'wrong' } : withoutStranger(probe, presented);
  });
}

/** Whether it is the server, whatever it shows: in the pod itself, or at an address that is the same from everywhere. */
const isSamePlace = ({ pod, via }: EndpointProbe): boolean => via === 'pod' || pod === undefined;

type Presented = ServingCheck['presented'];

const isExpected = (presented: Presented, { leaf, ...expected }: Expected): boolean =>
  wouldAccept({ ...expected, presented }) && (leaf === undefined || presented[0]?.fingerprint === leaf);

/** Whether a certificate has nothing to do with the server that was meant: neither its name, nor a CA that is trusted for it. */
function isStrangers(presented: Presented, expected: Expected): boolean {
  const kinds = checkServing({ ...expected, presented }).map(({ kind }) => kind);
  return kinds.includes('unknown-authority') && (kinds.includes('name-mismatch') || kinds.includes('common-name-only'));
}

/**
 * Whether a stranger's certificate is the server's own, though no other endpoint shows that this way leads to it. An address that is no pod's is the same from
 * everywhere. Otherwise it can't be when kube-apiserver met another one: the API works, or its connections fail before there is a certificate. Without such
 * words a pod shows its own, and an address only where the API does not work.
 */
function isStrangerProven({ pod, via }: EndpointProbe, { api, faults }: ApiServerSays): boolean {
  if (pod === undefined) return true;
  if (api === 'works' || faults.some((fault) => fault !== 'other')) return false;
  return via === 'pod' || api === 'fails' || faults.length > 0;
}

function withoutStranger(probe: EndpointProbe, presented: Presented): JudgedProbe {
  const [leaf] = presented;
  const who = probe.via === 'pod' ? 'at localhost in the pod another server answers' : 'from here another machine answers at this address';
  const stranger = `${who}, with the certificate of ${leaf?.subject || leaf?.dnsNames[0]}`;
  const words = [probe.noForward, stranger].filter(Boolean).join('; ');
  return { ...probe, handshake: { kind: 'failed', fault: 'no-route', words }, evidence: 'unknown' };
}

function evidenceOfFailure({ pod, via }: EndpointProbe, fault: DialFault, wayIsRight: boolean, says: ApiServerSays): Evidence {
  if (fault === 'no-forward') return 'unknown';
  const proven = via === 'pod' ? isProvenInPod(fault, wayIsRight, says) : isProvenFromHere(pod, fault, wayIsRight, says);
  if (!proven) return 'unknown';
  return fault === 'localhost-refused' && !wayIsRight ? 'doubtful' : 'faulty';
}

/**
 * What happens inside the pod is the same from everywhere, and fresher than a condition. But where no pod answered this way and kube-apiserver still gets an answer,
 * ours is the wrong way. A refusal that kube-apiserver confirms is no question of ways.
 */
const isProvenInPod = (fault: DialFault, wayIsRight: boolean, { api, faults }: ApiServerSays): boolean =>
  wayIsRight || fault === 'refused' || (api !== 'works' && !faults.includes('other'));

/**
 * From outside, packets that are lost count only when kube-apiserver has the same trouble, or the API does not work and kube-apiserver gives no reason at all.
 * An answer, if only a refusal, counts when the address of another pod led to it, when kube-apiserver has trouble on the way too, or when the API does not work
 * without a reason; at an address that is no pod's, which is the same from everywhere, unless the API works.
 */
function isProvenFromHere(pod: string | undefined, fault: DialFault, wayIsRight: boolean, { api, faults }: ApiServerSays): boolean {
  const silentlyBroken = api === 'fails' && faults.length === 0;
  if (fault === 'timeout' || fault === 'no-route') return silentlyBroken || faults.includes(fault);
  if (pod === undefined) return api !== 'works';
  return wayIsRight || silentlyBroken || faults.some((each) => each !== 'other');
}
