import type { CertificateInfo } from '../../pki/types.ts';
import type { Observation } from '../types.ts';
import { type CheckContext, observation } from './check.ts';

/** The certificates that an endpoint serves. */
export interface Served {
  readonly at: string;
  /** The name of its pod. */
  readonly pod: string | undefined;
  /** The leaf first. */
  readonly presented: readonly CertificateInfo[];
}

/** The certificates of all endpoints with a successful TLS handshake. */
export const servedBy = ({ probes }: CheckContext): readonly Served[] =>
  probes.flatMap(({ at, pod, handshake }) => (handshake.kind === 'served' ? [{ at, pod, presented: handshake.certificates }] : []));

/** An observation at certain endpoints. */
export type ObservationAt = Observation & { readonly at: readonly string[] };

/** Merges the same fault at several endpoints into one observation. */
export function merge(found: readonly ObservationAt[]): Observation[] {
  const groups = new Map<string, ObservationAt[]>();
  for (const each of found) {
    const key = JSON.stringify([each.code, each.severity, each.evidence, each.args]);
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()].flatMap((same): Observation[] => {
    const [first] = same;
    if (!first) return [];
    const at = same.flatMap((each) => each.at);
    return [{ ...first, ...observation(first.code, first.evidence, { ...first.args, endpoints: at.join(', ') }), at }];
  });
}

/** The line of evidence for a served certificate. */
export const served = (certificate: CertificateInfo): string =>
  `served: ${nameOf(certificate)}, issued by ${certificate.issuer || '(no name)'}, SHA-256 ${certificate.fingerprint}`;

/** The name of a certificate in texts. */
export const nameOf = ({ subject, dnsNames }: CertificateInfo): string => subject || dnsNames[0] || '(no name)';
