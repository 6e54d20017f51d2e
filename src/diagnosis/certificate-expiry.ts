import { trustedBy } from '../snapshot/ca-bundle.ts';
import { seen } from '../snapshot/observed.ts';
import type { ApiSnapshot } from '../snapshot/types.ts';
import { nameOf } from './checks/served-certificates.ts';

/** When the certificate at one place expires. */
export interface CertificateExpiry {
  readonly place: 'endpoint' | 'secret' | 'ca-bundle';
  /** The pod, or the address of an endpoint without one; `<namespace>/<secret>`; the CA. */
  readonly name: string;
  /** ISO 8601. */
  readonly notAfter: string;
}

/** The most certificates of one place that are listed. Those that expire first come first. */
export const certificateLimit = 16;

/** The certificates in use by one API, as far as they were seen: one for each name. */
export function certificateExpiry({ apiService, probes, secret }: ApiSnapshot): readonly CertificateExpiry[] {
  const api = seen(apiService);
  if (!api?.service) return [];
  const { namespace } = api.service;
  const served = (seen(probes) ?? []).flatMap(({ at, pod, handshake }): CertificateExpiry[] => {
    const [leaf] = handshake.kind === 'served' ? handshake.certificates : [];
    return leaf ? [{ place: 'endpoint', name: pod ?? at, notAfter: leaf.notAfter }] : [];
  });
  const found = seen(secret);
  const [leaf] = found?.certificates ?? [];
  const trusted = api.insecureSkipTLSVerify ? [] : trustedBy(api);
  return [
    ...firstOf(served),
    ...(found && leaf ? [{ place: 'secret' as const, name: `${namespace}/${found.name}`, notAfter: leaf.notAfter }] : []),
    ...firstOf(trusted.map((ca) => ({ place: 'ca-bundle', name: nameOf(ca), notAfter: ca.notAfter }))),
  ];
}

/** During a rotation, two CAs may have the same name: the later one counts. */
function firstOf(all: readonly CertificateExpiry[]): readonly CertificateExpiry[] {
  // ISO 8601 in UTC sorts by time.
  const byName = new Map(all.toSorted((one, other) => (one.notAfter < other.notAfter ? -1 : 1)).map((each) => [each.name, each]));
  return [...byName.values()].slice(0, certificateLimit);
}
