import { ipBytes } from './ip.ts';
import type { CertificateInfo } from './types.ts';

/**
 * Whether a certificate is valid for a host, by the rules of Go's crypto/x509 VerifyHostname. An IP
 * address matches only IP addresses, `*` matches one whole leftmost label, case does not matter,
 * and the common name is ignored.
 */
export function matchesHostname({ dnsNames, ipAddresses }: Pick<CertificateInfo, 'dnsNames' | 'ipAddresses'>, hostname: string): boolean {
  const address = ipBytes(hostname.replace(/^\[(.+)\]$/, '$1'));
  if (address) return ipAddresses.some((candidate) => ipBytes(candidate)?.equals(address));
  const host = hostname.toLowerCase();
  const labels = host.replace(/\.$/, '').split('.');
  return dnsNames.some((name) => {
    const pattern = name.toLowerCase();
    // Names that are not host names are compared exactly, without wildcards.
    if (!isHostname(labels) || !isPattern(pattern)) return pattern === host && pattern !== '' && pattern !== '.';
    const [first = '', ...rest] = pattern.split('.');
    return (first === '*' || first === labels[0]) && rest.join('.') === labels.slice(1).join('.');
  });
}

const isLabel = (label: string): boolean => /^[a-z0-9_][a-z0-9_-]*$/.test(label);
const isHostname = (labels: readonly string[]): boolean => labels.every(isLabel);

function isPattern(pattern: string): boolean {
  const [first = '', ...rest] = pattern.split('.');
  return pattern !== '*' && (first === '*' || isLabel(first)) && rest.every(isLabel);
}
