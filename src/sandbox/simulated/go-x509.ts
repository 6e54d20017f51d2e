import { matchesHostname } from '../../pki/hostname.ts';
import { checkServing, type ServingCheck, type ServingFault } from '../../pki/trust.ts';
import type { CertificateInfo } from '../../pki/types.ts';

/**
 * What Go's crypto/x509 says of a server's certificates (verify.go): of all faults the one that it
 * meets first. It looks at the leaf's dates, its names, then upwards from certificate to
 * certificate, and last at the chain as a whole.
 * @returns the words of the error, from `x509: ` on; undefined when it accepts them
 */
export function x509Words(check: ServingCheck): string | undefined {
  const faults = checkServing(check);
  const found = order.map((isMet) => faults.find(isMet)).find((fault) => fault !== undefined);
  return found && `x509: ${wordsOf(found, check)}`;
}

/**
 * crypto/rsa refuses the key when it checks the signature of the handshake, whether or not the
 * certificates are verified.
 */
export function weakKeyWords(leaf: CertificateInfo | undefined): string | undefined {
  const bits = Number(/^rsa-(\d+)$/.exec(leaf?.publicKey ?? '')?.[1] ?? Infinity);
  return bits < 1024 ? `tls: invalid signature by the server certificate: ${weakKey(bits)}` : undefined;
}

const weakKey = (bits: number): string =>
  `crypto/rsa: ${bits}-bit keys are insecure (see https://go.dev/pkg/crypto/rsa#hdr-Minimum_key_size)`;

const isDate = ({ kind }: ServingFault): boolean => kind === 'expired' || kind === 'not-yet-valid';
const order: readonly ((fault: ServingFault) => boolean)[] = [
  (fault) => isDate(fault) && 'role' in fault && fault.role === 'leaf',
  ({ kind }) => kind === 'name-mismatch' || kind === 'common-name-only',
  // In the order of the chain: as candidates for an issuer are looked at.
  (fault) => isDate(fault) || fault.kind === 'weak-signature' || fault.kind === 'path-length' || isRefusedIssuer(fault),
  ({ kind }) => kind === 'unknown-authority',
  ({ kind }) => kind === 'usage',
  ({ kind }) => kind === 'name-constraints',
];

const isRefusedIssuer = (fault: ServingFault): boolean => fault.kind === 'weak-key' && fault.refused && fault.role !== 'leaf';

function wordsOf(fault: ServingFault, { presented, roots, hostname, now }: ServingCheck): string {
  const { certificate } = fault;
  switch (fault.kind) {
    case 'expired':
    case 'not-yet-valid': {
      const limit = fault.kind === 'expired' ? `after ${seconds(certificate.notAfter)}` : `before ${seconds(certificate.notBefore)}`;
      return `certificate has expired or is not yet valid: current time ${seconds(now.toISOString())} is ${limit}`;
    }
    case 'name-mismatch':
    case 'common-name-only':
      return nameWords(certificate, hostname);
    case 'usage':
      return 'certificate specifies an incompatible key usage';
    case 'path-length':
      return 'too many intermediates for path length constraint';
    case 'name-constraints':
      return `a root or intermediate certificate is not authorized to sign for this name: ${constraintWords(fault)}`;
    case 'weak-signature': {
      const issuer = [...roots, ...presented].find(({ subject }) => subject === certificate.issuer);
      return unknownAuthority(`x509: cannot verify signature: insecure algorithm ${goAlgorithm(fault.algorithm)}`, issuer);
    }
    case 'weak-key':
      return unknownAuthority(weakKey(fault.bits), certificate);
    case 'unknown-authority':
      return 'candidate' in fault ? unknownAuthority(hint(fault), fault.candidate) : unknownAuthority();
  }
}

const seconds = (time: string): string => `${time.slice(0, 19)}Z`;

/** crypto/x509 HostnameError; a common name counts only to say that it doesn't. */
function nameWords({ dnsNames, ipAddresses, commonName = '' }: CertificateInfo, hostname: string): string {
  const noNames = dnsNames.length === 0 && ipAddresses.length === 0;
  if (noNames && matchesHostname({ dnsNames: [commonName], ipAddresses: [] }, hostname))
    return 'certificate relies on legacy Common Name field, use SANs instead';
  if (dnsNames.length >= 100) return `certificate is valid for ${dnsNames.length} names, but none matched ${hostname}`;
  if (dnsNames.length === 0) return `certificate is not valid for any names, but wanted to match ${hostname}`;
  return `certificate is valid for ${dnsNames.join(', ')}, not ${hostname}`;
}

function constraintWords({ certificate, names: [name = ''] }: Extract<ServingFault, { kind: 'name-constraints' }>): string {
  const excluded = certificate.nameConstraints?.excludedDns.find(
    (suffix) => name === suffix || name.endsWith(`.${suffix.replace(/^\./, '')}`),
  );
  return excluded === undefined
    ? `DNS name ${JSON.stringify(name)} is not permitted by any constraint`
    : `DNS name ${JSON.stringify(name)} is excluded by constraint ${JSON.stringify(excluded)}`;
}

function unknownAuthority(why?: string, candidate?: CertificateInfo): string {
  const words = 'certificate signed by unknown authority';
  if (why === undefined || candidate === undefined) return words;
  const organization = /(?:^|,)O=([^,]+)/.exec(candidate.subject)?.[1];
  const name = candidate.commonName || organization || `serial:${BigInt(`0x${candidate.serial}`)}`;
  return `${words} (possibly because of ${JSON.stringify(why)} while trying to verify candidate authority certificate ${JSON.stringify(name)})`;
}

/**
 * Why the candidate is not the issuer (crypto/x509 CheckSignatureFrom); names that are encoded
 * differently make no candidate.
 */
function hint({ reason, candidate, certificate }: Extract<ServingFault, { candidate: CertificateInfo }>): string | undefined {
  if (reason === 'not-a-ca') return 'x509: invalid signature: parent certificate cannot sign this kind of certificate';
  if (reason !== 'other-key') return undefined;
  const signedBy = keyFamily(certificate.signatureAlgorithm);
  const has = keyFamily(candidate.publicKey);
  if (signedBy !== has)
    return `x509: signature algorithm specifies an ${signedBy} public key, but have public key of type ${goKeyTypes[has]}`;
  return has === 'RSA' ? 'crypto/rsa: verification error' : `x509: ${has} verification failure`;
}

const goKeyTypes = { RSA: '*rsa.PublicKey', ECDSA: '*ecdsa.PublicKey', Ed25519: 'ed25519.PublicKey' };

/** Of a key or of a signature. */
function keyFamily(algorithm: string): keyof typeof goKeyTypes {
  if (/ecdsa/i.test(algorithm)) return 'ECDSA';
  return /rsa/i.test(algorithm) ? 'RSA' : 'Ed25519';
}

/** `SHA1-RSA`, `ECDSA-SHA1` (crypto/x509 signatureAlgorithmDetails). */
function goAlgorithm(algorithm: string): string {
  const hash = /sha1|md[25]/i.exec(algorithm)?.[0].toUpperCase();
  return keyFamily(algorithm) === 'ECDSA' ? `ECDSA-${hash}` : `${hash}-RSA`;
}
