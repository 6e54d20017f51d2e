import type { MissingIssuer } from './chains.ts';

/** What a fault is about, named as the files of a project are. */
export type CertificatePart = 'caCertificate' | 'caKey' | 'certificate' | 'key';

/** Why a text is not a private key that certificates can be signed with. */
export type KeyFault =
  | { readonly code: 'no-key'; readonly found: 'certificate' | 'public-key' | 'nothing' }
  | { readonly code: 'damaged-key'; readonly line: number; readonly reason: string }
  | { readonly code: 'openssh-key' }
  | { readonly code: 'passphrase-needed' }
  | { readonly code: 'wrong-passphrase' }
  | { readonly code: 'outdated-cipher' }
  | { readonly code: 'unsupported-key'; readonly key: string };

/** Why a text holds no certificate that kube-apiserver finds. */
export type PemFault =
  | { readonly code: 'no-certificate'; readonly found: 'private-key' | 'nothing' }
  | { readonly code: 'damaged-certificate'; readonly line: number; readonly reason: string };

/**
 * One thing wrong with certificates and keys that were read. Plain data: `certificateFaultText` has
 * the words. Times are ISO 8601, subjects as in `CertificateInfo`.
 */
export type CertificateFault = { readonly part: CertificatePart } & (
  | { readonly code: 'file-not-found' }
  | { readonly code: 'file-unreadable'; readonly reason: string; readonly fix?: string }
  | PemFault
  | KeyFault
  /** The key of `part` matches none of these certificates. */
  | { readonly code: 'key-mismatch'; readonly subjects: readonly string[] }
  | { readonly code: 'key-type'; readonly key: string; readonly wanted: string }
  | { readonly code: 'not-a-ca'; readonly subject: string; readonly basicConstraints: boolean }
  | { readonly code: 'no-cert-sign'; readonly subject: string }
  | { readonly code: 'expired'; readonly subject: string; readonly notAfter: string }
  | { readonly code: 'not-yet-valid'; readonly subject: string; readonly notBefore: string }
  | { readonly code: 'names'; readonly missing: readonly string[] }
  | { readonly code: 'no-server-auth'; readonly subject: string }
  | { readonly code: 'unknown-authority'; readonly reason: MissingIssuer['reason'] }
  | { readonly code: 'weak-signature'; readonly subject: string; readonly algorithm: string }
  | { readonly code: 'weak-key'; readonly subject: string; readonly key: string }
  | { readonly code: 'name-constraints'; readonly subject: string; readonly names: readonly string[] }
  | { readonly code: 'path-length'; readonly subject: string; readonly limit: number }
);

/** The name of each part in messages, usually its file. */
export type PartNames = Readonly<Record<CertificatePart, string>>;

/** One line for a fault, such as `certs/tls.crt: CN=api.example.svc expired on 2026-06-25`. */
export const certificateFaultText = (fault: CertificateFault, names: PartNames): string => `${names[fault.part]}: ${textOf(fault, names)}`;

function textOf(fault: CertificateFault, names: PartNames): string {
  switch (fault.code) {
    case 'file-not-found':
      return 'file not found';
    case 'file-unreadable':
      return fault.reason;
    case 'no-certificate':
      return fault.found === 'nothing' ? 'no certificate found' : 'expected a certificate, found a private key';
    case 'damaged-certificate':
      return `the certificate on line ${fault.line} is damaged: ${fault.reason}`;
    case 'key-mismatch':
      return `the private key does not match the certificate (${fault.subjects.join(' and ')})`;
    case 'key-type':
      return `the key type is ${fault.key}, not ${fault.wanted}`;
    case 'not-a-ca':
      return `${fault.subject} is not a CA: ${fault.basicConstraints ? 'its basicConstraints say CA:FALSE' : 'it has no basicConstraints'}`;
    case 'no-cert-sign':
      return `the CA ${fault.subject} cannot sign certificates: its keyUsage lacks keyCertSign`;
    case 'expired':
      return `${fault.subject} expired on ${fault.notAfter.slice(0, 10)}`;
    case 'not-yet-valid':
      return `${fault.subject} is not valid before ${fault.notBefore}`;
    case 'names':
      return `the certificate is not valid for ${fault.missing.join(', ')}`;
    case 'no-server-auth':
      return `${fault.subject} is not valid for servers: its extendedKeyUsage lacks serverAuth`;
    case 'unknown-authority':
      return unknownAuthorityText(fault.reason, names.caCertificate);
    case 'weak-signature':
      return `${fault.subject} is signed with ${fault.algorithm}, which kube-apiserver rejects`;
    case 'weak-key':
      return `the key of ${fault.subject} is too short: ${fault.key}`;
    case 'name-constraints':
      return `the name constraints of the CA ${fault.subject} do not permit ${fault.names.join(', ')}`;
    case 'path-length':
      return `the CA ${fault.subject} allows at most ${fault.limit} CAs below it (pathLenConstraint)`;
    default:
      return keyFaultText(fault);
  }
}

function unknownAuthorityText(reason: MissingIssuer['reason'], caFile: string): string {
  if (reason === 'intermediate-missing') return `an intermediate CA between the certificate and ${caFile} is missing`;
  if (reason === 'not-a-ca') return `the certificate in ${caFile} that signed it is not a CA certificate`;
  return `the certificate is not signed by a CA in ${caFile}`;
}

const foundInstead = {
  certificate: 'expected a private key, found a certificate',
  'public-key': 'expected a private key, found a public key',
};

/** The same for a key alone, without a file name. */
export function keyFaultText(fault: KeyFault): string {
  switch (fault.code) {
    case 'no-key':
      return fault.found === 'nothing' ? 'no private key found' : foundInstead[fault.found];
    case 'damaged-key':
      return `the private key on line ${fault.line} is damaged: ${fault.reason}`;
    case 'openssh-key':
      return 'the private key is in OpenSSH format, which TLS does not use';
    case 'passphrase-needed':
      return 'the private key is encrypted and needs a passphrase';
    case 'wrong-passphrase':
      return 'wrong passphrase for the private key';
    case 'outdated-cipher':
      return 'the private key is encrypted with a cipher that OpenSSL 3 no longer supports';
    case 'unsupported-key':
      return `unsupported type of private key for serving certificates: ${fault.key}`;
  }
}

/**
 * What to do about a fault, where that follows from its code alone.
 * @param file the file with the fault, quoted for a shell
 */
export function certificateFaultFix({ code }: Pick<CertificateFault, 'code'>, file: string): string | undefined {
  switch (code) {
    case 'openssh-key':
      // OpenSSH 9.2 leaves an Ed25519 key in its own format, and reports success.
      return `To convert an RSA or ECDSA key: ssh-keygen -p -m PKCS8 -f ${file}\nssh-keygen cannot convert an Ed25519 key.`;
    case 'outdated-cipher':
      return `Encrypt the key again: openssl pkcs8 -topk8 -v2 aes-256-cbc -provider legacy -provider default -in ${file} -out NEW-FILE`;
    case 'unsupported-key':
      return 'Use an RSA key, an ECDSA key on P-256, P-384 or P-521, or an Ed25519 key.';
    case 'key-mismatch':
      return 'Use the certificate and the private key of the same CA.';
    case 'wrong-passphrase':
      return 'Check the passphrase. A file with the passphrase must contain nothing else.';
    case 'not-a-ca':
    case 'no-cert-sign':
      return 'Use the certificate of a CA: its basicConstraints say CA:TRUE, and its keyUsage, if any, includes keyCertSign.';
    case 'weak-key':
      return 'Use a CA with an RSA key of at least 2048 bits, or with an ECDSA key.';
    case 'expired':
      return 'Renew the CA, or use another one.';
    case 'not-yet-valid':
      return 'Check the clock of this machine, or use another CA.';
    case 'damaged-certificate':
    case 'damaged-key':
      return 'Copy the file again from the original.';
    case 'no-certificate':
    case 'no-key':
      return 'Pass PEM files: the certificate of the CA and its private key.';
    default:
      return undefined;
  }
}
