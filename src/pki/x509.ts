import { type KeyObject, randomBytes, sign } from 'node:crypto';
import { UsageError } from '../errors.ts';
import { bits, children, decode, encode, type Node, nil, oid, sequence, set, tagged, time, unsigned, utf8 } from './der.ts';

/**
 * The subject of a certificate. Each of `organizations` becomes an O, which Kubernetes reads as a
 * group of a client.
 */
export interface Subject {
  readonly commonName?: string;
  readonly organizations?: readonly string[];
}

/** The content of a certificate. Dates are truncated to seconds. */
export interface CertificateContent {
  readonly subject: Node;
  /**
   * The subject of the issuing certificate, unchanged: verifiers compare the bytes (RFC 5280 7.1).
   */
  readonly issuer: Node;
  readonly publicKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly extensions: readonly Node[];
}

/**
 * How a type of key signs: the AlgorithmIdentifier and the digest, null where the algorithm has its
 * own.
 */
interface Signer {
  readonly algorithm: Node;
  readonly digest: string | null;
}

/**
 * Parameters are NULL for RSA (RFC 4055 section 5) and absent for the others (RFC 5758 3.2, RFC
 * 8410 section 3).
 */
function signerFor(key: KeyObject): Signer | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'rsa') return { algorithm: sequence(oid('1.2.840.113549.1.1.11'), nil()), digest: 'sha256' };
  if (type === 'ed25519') return { algorithm: sequence(oid('1.3.101.112')), digest: null };
  switch (type === 'ec' ? details?.namedCurve : undefined) {
    case 'prime256v1':
      return { algorithm: sequence(oid('1.2.840.10045.4.3.2')), digest: 'sha256' };
    case 'secp384r1':
      return { algorithm: sequence(oid('1.2.840.10045.4.3.3')), digest: 'sha384' };
    case 'secp521r1':
      return { algorithm: sequence(oid('1.2.840.10045.4.3.4')), digest: 'sha512' };
    default:
      return undefined;
  }
}

/**
 * Whether this key can sign certificates that Go verifies: RSA, ECDSA on P-256, P-384 or P-521, or
 * Ed25519.
 */
export const canSign = (key: KeyObject): boolean => signerFor(key) !== undefined;

const attribute = (type: string, value: string): Node => set(sequence(oid(type), utf8(value)));

/** A distinguished name, possibly empty. */
export const distinguishedName = ({ commonName, organizations = [] }: Subject): Node =>
  sequence(
    ...organizations.map((organization) => attribute('2.5.4.10', organization)),
    ...(commonName === undefined ? [] : [attribute('2.5.4.3', commonName)]),
  );

function requireSigner(key: KeyObject): Signer {
  const signer = signerFor(key);
  if (!signer) throw new UsageError(`unsupported type of private key for signing certificates: ${key.asymmetricKeyType}`);
  return signer;
}

/**
 * Signs an X.509 v3 certificate (RFC 5280 4.1) with a random serial of 128 bits.
 * @returns DER
 * @throws UsageError when this type of key is not supported
 */
export function signCertificate(certificate: CertificateContent, key: KeyObject): Buffer {
  const signer = requireSigner(key);
  const tbs = sequence(
    tagged(0, unsigned(Buffer.of(2))),
    unsigned(randomBytes(16)),
    signer.algorithm,
    certificate.issuer,
    sequence(time(certificate.notBefore), time(certificate.notAfter)),
    certificate.subject,
    decode(certificate.publicKey.export({ type: 'spki', format: 'der' })),
    tagged(3, sequence(...certificate.extensions)),
  );
  return encode(sequence(tbs, signer.algorithm, bits(sign(signer.digest, encode(tbs), key))));
}

/** The content of a request for a certificate. */
export interface RequestContent {
  readonly subject: Node;
  readonly publicKey: KeyObject;
  /** What the certificate is to contain. */
  readonly extensions: readonly Node[];
}

/**
 * The part of a request for a certificate that is signed: CertificationRequestInfo of RFC 2986 4.1,
 * with the attribute extensionRequest of RFC 2985 5.4.2.
 * @returns DER
 */
export const requestInfo = ({ subject, publicKey, extensions }: RequestContent): Buffer =>
  encode(
    sequence(
      unsigned(Buffer.of(0)),
      subject,
      decode(publicKey.export({ type: 'spki', format: 'der' })),
      tagged(0, sequence(oid('1.2.840.113549.1.9.14'), set(sequence(...extensions)))),
    ),
  );

/**
 * Signs a request for a certificate with the key that the certificate is for (RFC 2986 4.2).
 * @param info from `requestInfo`
 * @returns DER
 * @throws UsageError when this type of key is not supported
 */
export function signRequest(info: Buffer, key: KeyObject): Buffer {
  const { algorithm, digest } = requireSigner(key);
  return encode(sequence(decode(info), algorithm, bits(sign(digest, info, key))));
}

/** What `requestInfo` made, of a signed request in DER. @throws Error when it is malformed */
export const infoOfRequest = (der: Uint8Array): Buffer => encode(children(decode(der))[0] ?? nil());
