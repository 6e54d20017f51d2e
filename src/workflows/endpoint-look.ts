import type { Cluster } from '../cluster/cluster.ts';
import { dialEndpoint, type EndpointTarget } from '../cluster/dial.ts';
import type { Via } from '../cluster/handshake.ts';
import { wouldAccept } from '../pki/trust.ts';
import type { CertificateInfo } from '../pki/types.ts';
import { isStrangers } from '../verify/strangers.ts';
import { describeTarget } from '../verify/targets.ts';

/** What came of a look at the certificate of one endpoint. */
export interface Look {
  readonly at: string;
  readonly pod: string | undefined;
  readonly via: Via;
  /**
   * other: serves another certificate. bad: does not get as far as a certificate. deaf: the pod refuses connections. stranger: at the pod's address
   * somebody else answers from here. elsewhere: can't be reached from here.
   */
  readonly state: 'good' | 'other' | 'bad' | 'deaf' | 'stranger' | 'elsewhere';
  readonly words: string;
}

/** `10.0.0.1:443 (pod x): connection refused`. */
export const describe = ({ at, words }: Look): string => `${at}: ${words}`;

interface Wanted extends EndpointTarget {
  /** The certificates that kube-apiserver will trust. */
  readonly roots: readonly CertificateInfo[];
}

interface Looking {
  readonly cluster: Cluster;
  readonly signal: AbortSignal;
}

/** Dials an endpoint and holds its certificate against what kube-apiserver will ask for. @throws as `dialEndpoint` */
export async function lookAtEndpoint({ cluster, signal }: Looking, { roots, ...target }: Wanted): Promise<Look> {
  const { pod, serverName: hostname } = target;
  const handshake = await dialEndpoint(cluster, target, signal);
  const { via } = handshake;
  const seen = { at: describeTarget(target), pod, via };
  if (handshake.kind === 'failed') return { ...seen, state: stateOfFailure(handshake, pod), words: handshake.words };
  const check = { presented: handshake.certificates, roots, hostname, now: new Date() };
  if (wouldAccept(check)) return { ...seen, state: 'good', words: '' };
  const stranger = via === 'address' && pod !== undefined && isStrangers(check);
  const [leaf] = handshake.certificates;
  const served = leaf && `${leaf.subject || leaf.dnsNames.join(', ')} (SHA-256 ${leaf.fingerprint}), signed by ${leaf.issuer}`;
  const words = served ? `serves ${served}` : 'serves no certificate';
  return stranger
    ? { ...seen, state: 'stranger', words: `from here another machine answers, which ${words}` }
    : { ...seen, state: 'other', words };
}

type Failed = Extract<Awaited<ReturnType<typeof dialEndpoint>>, { kind: 'failed' }>;

function stateOfFailure({ fault, via }: Failed, pod: string | undefined): Look['state'] {
  if (pod !== undefined && fault === 'refused') return 'deaf';
  if (via === 'pod' && fault !== 'no-forward') return 'bad';
  // A pod that is ready listens; if not for us, then this is not its network.
  return pod !== undefined || fault === 'timeout' || fault === 'no-route' ? 'elsewhere' : 'bad';
}

/** A server that became ready without a probe may need so long until it listens. */
const listenMs = 10_000;

/**
 * Decides what can't be decided of one endpoint alone. A pod that refuses connections has a server that has not begun to listen, or one that listens where we
 * can't reach it: on the pod's address alone, in a network that is not ours. The second is true of all pods alike, and lasts. Where the
 * address of another pod leads to it, a stranger's certificate is the pod's own.
 * @returns the same looks, none of them deaf or a stranger's
 */
export function settle(looks: readonly Look[], elapsedMs: number): readonly Look[] {
  const pods = looks.filter(({ pod }) => pod !== undefined);
  const anyAnswers = pods.some(({ state }) => state === 'good' || state === 'other' || state === 'bad');
  const waysAreRight = pods.some(({ state, via }) => state === 'good' && via === 'address');
  return looks.map((look) => {
    const { state, via } = look;
    if (state === 'stranger') return { ...look, state: waysAreRight ? 'other' : 'elsewhere' };
    if (state === 'deaf') return { ...look, state: anyAnswers || (via === 'pod' && elapsedMs < listenMs) ? 'bad' : 'elsewhere' };
    return look;
  });
}
