import { matchesHostname } from './hostname.ts';
import { ipBytes } from './ip.ts';
import { timeText } from './time-text.ts';
import { checkServing, type ServingCheck, type ServingFault } from './trust.ts';
import type { CertificateInfo } from './types.ts';

/**
 * Verifies a server's certificates as Go's crypto/x509 does (verify.go), which reports its first
 * fault: the dates of the leaf, its names, the issuers, then the chain as a whole.
 * @returns the error message from `x509: ` on; undefined when they verify
 */
export function x509Fault(check: ServingCheck): string | undefined {
  const faults = checkServing(check);
  const found = order.map((isMet) => faults.find(isMet)).find((fault) => fault !== undefined);
  return found && `x509: ${messageOf(found, check)}`;
}

/** crypto/rsa refuses such a key in the handshake, even where certificates are not verified. */
export function weakKeyFault(leaf: CertificateInfo | undefined): string | undefined {
  const bits = Number(/^rsa-(\d+)$/.exec(leaf?.publicKey ?? '')?.[1] ?? Infinity);
  return bits < 1024 ? `tls: invalid signature by the server certificate: ${weakKey(bits)}` : undefined;
}

const weakKey = (bits: number): string =>
  `crypto/rsa: ${bits}-bit keys are insecure (see https://go.dev/pkg/crypto/rsa#hdr-Minimum_key_size)`;

const isDate = ({ kind }: ServingFault): boolean => kind === 'expired' || kind === 'not-yet-valid';
const isRefusedIssuer = (fault: ServingFault): boolean => fault.kind === 'weak-key' && fault.refused && fault.role !== 'leaf';
const order: readonly ((fault: ServingFault) => boolean)[] = [
  (fault) => isDate(fault) && 'role' in fault && fault.role === 'leaf',
  ({ kind }) => kind === 'name-mismatch' || kind === 'common-name-only',
  // Each candidate for an issuer, in the order of the chain.
  (fault) => isDate(fault) || fault.kind === 'weak-signature' || fault.kind === 'path-length' || isRefusedIssuer(fault),
  ({ kind }) => kind === 'unknown-authority',
  ({ kind }) => kind === 'usage',
  ({ kind }) => kind === 'name-constraints',
];

function messageOf(fault: ServingFault, { presented, roots, hostname, now }: ServingCheck): string {
  const { certificate } = fault;
  switch (fault.kind) {
    case 'expired':
    case 'not-yet-valid': {
      const limit = fault.kind === 'expired' ? `after ${timeText(certificate.notAfter)}` : `before ${timeText(certificate.notBefore)}`;
      return `certificate has expired or is not yet valid: current time ${timeText(now.toISOString())} is ${limit}`;
    }
    case 'name-mismatch':
    case 'common-name-only':
      return nameMessage(certificate, hostname);
    case 'usage':
      return 'certificate specifies an incompatible key usage';
    case 'path-length':
      return 'too many intermediates for path length constraint';
    case 'name-constraints':
      return `a root or intermediate certificate is not authorized to sign for this name: DNS name ${JSON.stringify(fault.names[0] ?? '')} is not permitted by any constraint`;
    case 'weak-signature': {
      const issuer = [...roots, ...presented].find(({ subject }) => subject === certificate.issuer);
      return unknownAuthority(`x509: cannot verify signature: insecure algorithm ${goAlgorithm(fault.algorithm)}`, issuer);
    }
    case 'weak-key':
      return unknownAuthority(weakKey(fault.bits), certificate);
    case 'unknown-authority':
      return 'candidate' in fault ? unknownAuthority(reasonOf(fault), fault.candidate) : unknownAuthority();
  }
}

/** Why a certificate of that name is not the issuer (crypto/x509 CheckSignatureFrom). */
function reasonOf({ reason, candidate }: Extract<ServingFault, { candidate: CertificateInfo }>): string | undefined {
  if (reason === 'not-a-ca') return 'x509: invalid signature: parent certificate cannot sign this kind of certificate';
  if (reason !== 'other-key') return undefined;
  return /^rsa/.test(candidate.publicKey) ? 'crypto/rsa: verification error' : 'x509: ECDSA verification failure';
}

function unknownAuthority(reason?: string, candidate?: CertificateInfo): string {
  const message = 'certificate signed by unknown authority';
  if (reason === undefined || candidate === undefined) return message;
  const name = candidate.commonName || `serial:${BigInt(`0x${candidate.serial}`)}`;
  return `${message} (possibly because of ${JSON.stringify(reason)} while trying to verify candidate authority certificate ${JSON.stringify(name)})`;
}

/** `SHA1-RSA`, `ECDSA-SHA1` (crypto/x509 signatureAlgorithmDetails). */
function goAlgorithm(algorithm: string): string {
  const hash = /sha1|md[25]/i.exec(algorithm)?.[0].toUpperCase();
  return /ecdsa/i.test(algorithm) ? `ECDSA-${hash}` : `${hash}-RSA`;
}

/** crypto/x509 HostnameError. */
function nameMessage({ dnsNames, ipAddresses, commonName = '' }: CertificateInfo, hostname: string): string {
  const noNames = dnsNames.length === 0 && ipAddresses.length === 0;
  if (noNames && (commonName === hostname || matchesHostname({ dnsNames: [commonName], ipAddresses: [] }, hostname)))
    return 'certificate relies on legacy Common Name field, use SANs instead';
  if (ipBytes(hostname)) {
    if (ipAddresses.length === 0) return `cannot validate certificate for ${hostname} because it doesn't contain any IP SANs`;
    return `certificate is valid for ${ipAddresses.join(', ')}, not ${hostname}`;
  }
  if (dnsNames.length === 0) return `certificate is not valid for any names, but wanted to match ${hostname}`;
  return `certificate is valid for ${dnsNames.join(', ')}, not ${hostname}`;
}
