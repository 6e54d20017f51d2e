import { ipBytes } from './ip.ts';
import type { CertificateInfo, ServingNames } from './types.ts';

type Constraints = NonNullable<CertificateInfo['nameConstraints']>;

/**
 * `.example.com` covers only names below example.com, `example.com` also itself. The empty
 * constraint covers all names.
 */
function dnsCovers(constraint: string, name: string): boolean {
  if (constraint === '') return true;
  const [outer, inner] = [constraint.toLowerCase(), name.toLowerCase()];
  return inner === outer ? !outer.startsWith('.') : inner.endsWith(outer.startsWith('.') ? outer : `.${outer}`);
}

/** A wildcard is also excluded by the exclusion of any name that it matches. */
const dnsExcludes = (constraint: string, name: string): boolean =>
  dnsCovers(constraint, name) ||
  (name.startsWith('*.') &&
    constraint.includes('.') &&
    constraint.slice(constraint.indexOf('.')).toLowerCase() === name.slice(1).toLowerCase());

function ipCovers(network: string, address: string): boolean {
  const [base = '', length] = network.split('/');
  const [outer, inner] = [ipBytes(base), ipBytes(address)];
  if (outer?.length !== inner?.length || !outer || !inner) return false;
  return outer.every((byte, index) => {
    const mask = 0xff & (0xff00 >> Math.min(8, Math.max(0, Number(length) - 8 * index)));
    return (byte & mask) === ((inner[index] ?? 0) & mask);
  });
}

/**
 * The names that the constraints of a CA do not permit, or exclude (RFC 5280 4.2.1.10, with the
 * leading dot that Go's crypto/x509/constraints.go allows in a DNS constraint).
 */
export function namesOutside({ permittedDns, excludedDns, permittedIp, excludedIp }: Constraints, names: ServingNames): string[] {
  const dns = names.dns.filter(
    (name) =>
      (permittedDns.length > 0 && !permittedDns.some((base) => dnsCovers(base, name))) ||
      excludedDns.some((base) => dnsExcludes(base, name)),
  );
  const ip = names.ip.filter(
    (address) =>
      (permittedIp.length > 0 && !permittedIp.some((network) => ipCovers(network, address))) ||
      excludedIp.some((network) => ipCovers(network, address)),
  );
  return [...dns, ...ip];
}
