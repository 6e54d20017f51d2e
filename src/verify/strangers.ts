import { checkServing, type ServingCheck, wouldAccept } from '../pki/trust.ts';
import type { ApiSnapshot, EndpointProbe } from './types.ts';

/**
 * Whether a certificate has nothing to do with the server that was meant: neither its name, nor a CA that is trusted for it. Seen from outside at the address of a pod
 * it is that of whoever has this address there: another cluster, a proxy that answers for every address.
 */
export function isStrangers(check: ServingCheck): boolean {
  const kinds = checkServing(check).map(({ kind }) => kind);
  return kinds.includes('unknown-authority') && (kinds.includes('name-mismatch') || kinds.includes('common-name-only'));
}

/** What the endpoints are held against. */
export type Expected = Omit<ServingCheck, 'presented'>;

/** Takes the answers of strangers at the addresses of pods for what they are: no way to the pod. A single endpoint that is in order shows that the ways are right. */
export function withoutStrangers(snapshot: ApiSnapshot, expected: Expected): ApiSnapshot {
  const { probes } = snapshot;
  if (probes.state !== 'seen' || probes.value.some(({ handshake }) => isAccepted(handshake, expected))) return snapshot;
  return { ...snapshot, probes: { state: 'seen', value: probes.value.map((probe) => withoutStranger(probe, expected)) } };
}

const isAccepted = (handshake: EndpointProbe['handshake'], expected: Expected): boolean =>
  handshake.kind === 'served' && wouldAccept({ ...expected, presented: handshake.certificates });

function withoutStranger(probe: EndpointProbe, expected: Expected): EndpointProbe {
  const { via, pod, handshake, noForward } = probe;
  if (via === 'pod' || pod === undefined || handshake.kind === 'failed') return probe;
  const presented = handshake.certificates;
  if (!isStrangers({ ...expected, presented })) return probe;
  const stranger = `from here another machine answers at this address, with the certificate of ${presented[0]?.subject}`;
  const words = [noForward, stranger].filter(Boolean).join('; ');
  return { ...probe, handshake: { kind: 'failed', fault: 'no-route', words } };
}
