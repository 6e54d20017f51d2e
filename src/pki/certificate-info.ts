import { X509Certificate } from 'node:crypto';
import { certificateParts } from './certificate.ts';
import { encode } from './der.ts';
import {
  readAlternativeNames,
  readBasicConstraints,
  readExtendedKeyUsage,
  readKeyIdentifiers,
  readKeyUsage,
  readNameConstraints,
} from './extension-values.ts';
import { describeKey } from './keys.ts';
import { commonNameOf, nameText } from './names.ts';
import { toPem } from './pem.ts';
import type { CertificateInfo } from './types.ts';

/**
 * Names of signature algorithms as OpenSSL prints them (RFC 8017 appendix C, RFC 5758, RFC 8410).
 */
const signatureNames = new Map([
  ['1.2.840.113549.1.1.2', 'md2WithRSAEncryption'],
  ['1.2.840.113549.1.1.4', 'md5WithRSAEncryption'],
  ['1.2.840.113549.1.1.5', 'sha1WithRSAEncryption'],
  ['1.2.840.113549.1.1.10', 'rsassaPss'],
  ['1.2.840.113549.1.1.11', 'sha256WithRSAEncryption'],
  ['1.2.840.113549.1.1.12', 'sha384WithRSAEncryption'],
  ['1.2.840.113549.1.1.13', 'sha512WithRSAEncryption'],
  ['1.2.840.10045.4.1', 'ecdsa-with-SHA1'],
  ['1.2.840.10045.4.3.2', 'ecdsa-with-SHA256'],
  ['1.2.840.10045.4.3.3', 'ecdsa-with-SHA384'],
  ['1.2.840.10045.4.3.4', 'ecdsa-with-SHA512'],
  ['1.3.101.112', 'ed25519'],
]);

/**
 * A cache: one command reads the same certificate many times, and parsing takes half a millisecond.
 */
const known = new Map<string, CertificateInfo>();
const mostKnown = 2_000;

/**
 * Reads a certificate, for instance as a TLS socket gives it.
 * @param der the certificate alone
 * @throws Error with the reason when it is not a certificate that both Node and Go can read
 */
export function certificateInfo(der: Uint8Array): CertificateInfo {
  const key = Buffer.from(der).toString('latin1');
  const info = known.get(key) ?? read(der);
  if (known.size >= mostKnown) known.clear();
  known.set(key, info);
  return info;
}

function read(der: Uint8Array): CertificateInfo {
  const certificate = new X509Certificate(der);
  const parts = certificateParts(der);
  const { extensions } = parts;
  const { dns, ip } = readAlternativeNames(extensions);
  return {
    subject: nameText(parts.subject),
    commonName: commonNameOf(parts.subject),
    issuer: nameText(parts.issuer),
    serial: parts.serial
      .toString('hex')
      .toUpperCase()
      .replace(/^00(?=.)/, ''),
    notBefore: parts.notBefore.toISOString(),
    notAfter: parts.notAfter.toISOString(),
    dnsNames: dns,
    ipAddresses: ip,
    ...readBasicConstraints(extensions),
    keyUsage: readKeyUsage(extensions),
    extendedKeyUsage: readExtendedKeyUsage(extensions),
    ...readKeyIdentifiers(extensions),
    nameConstraints: readNameConstraints(extensions),
    publicKey: describeKey(certificate.publicKey),
    signatureAlgorithm: signatureNames.get(parts.signatureAlgorithm) ?? parts.signatureAlgorithm,
    fingerprint: certificate.fingerprint256,
    selfSigned: encode(parts.subject).equals(encode(parts.issuer)) && certificate.verify(certificate.publicKey),
    pem: toPem('CERTIFICATE', der),
  };
}
