import type { CatalogEntry } from './entry.ts';

/** The trust in the server: caBundle, certificate, or none at all. */
export const certificateEntries = {
  'bundle/unparsable': {
    severity: 'error',
    title: 'the caBundle of {name} holds no certificate that can be read',
    cause: 'caBundle must be PEM certificates, base64-encoded once. kube-apiserver does not check it when it is written.',
    fix: 'apisvc register --force-conflicts, or set spec.caBundle to: base64 -w0 < certs/ca.crt',
    explainedBy: ['bundle/private-key'],
  },
  'bundle/empty': {
    severity: 'error',
    title: '{name} has no caBundle',
    cause: 'Without caBundle kube-apiserver trusts the root certificates of its own machine, which do not sign for {host}.',
    fix: 'apisvc register, or set spec.caBundle to the CA that signed the serving certificate',
  },
  'bundle/private-key': {
    severity: 'error',
    title: 'the caBundle of {name} contains a private key',
    cause: 'The wrong file was put into caBundle. Everyone who may read APIServices can read the key.',
    fix: 'Make a new CA and serving certificate (apisvc init --force-keys), register them, and treat the old key as public.',
  },
  'cert/unknown-authority': {
    severity: 'error',
    title: 'the certificate at {endpoints} is not signed by a CA in the caBundle (unknown authority)',
    cause: '{why}',
    fix: 'apisvc register puts the right caBundle in place; without a project, set spec.caBundle to the CA that signed the certificate. Where only some pods are at fault, restart those.',
  },
  'cert/issuer-not-a-ca': {
    severity: 'error',
    title: 'the certificate that signed the one at {endpoints} is not allowed to sign certificates',
    cause: 'It lacks basicConstraints CA:TRUE or the key usage keyCertSign (RFC 5280 4.2.1.3, 4.2.1.9).',
    fix: 'Make the CA anew with both, issue the serving certificate from it, and put it into the caBundle.',
  },
  'cert/missing-intermediate': {
    severity: 'error',
    title: 'the server at {endpoints} does not send the intermediate certificate that leads to a CA in the caBundle',
    cause: 'An intermediate CA signed the serving certificate, and neither the server nor the caBundle has it.',
    fix: 'Put the whole chain into tls.crt: the serving certificate first, then every intermediate.',
  },
  'cert/expired': {
    severity: 'error',
    title: 'the certificate at {endpoints} has expired: {date}',
    cause: 'Nobody renewed it, or the server has not loaded the new one.',
    fix: 'Issue a new certificate and register it; if the Secret is newer, restart the server.',
  },
  'cert/not-yet-valid': {
    severity: 'error',
    title: 'the certificate at {endpoints} is not valid before {date}',
    cause: 'The clock of the machine that issued it is ahead, or that of the control plane is behind.',
    fix: 'Check the clocks; then issue the certificate again.',
  },
  'cert/ca-expired': {
    severity: 'error',
    title: 'the CA certificate {subject} expired on {date}',
    cause: 'A certificate is no longer accepted once the CA above it has expired.',
    fix: 'Make a new CA and serving certificate (apisvc init --force-keys), then apisvc register.',
  },
  'cert/ca-not-yet-valid': {
    severity: 'error',
    title: 'the CA certificate {subject} is not valid before {date}',
    cause: 'The clock of the machine that made the CA is ahead, or that of the control plane is behind.',
    fix: 'Check the clocks; then make the CA again.',
  },
  'cert/san-mismatch': {
    severity: 'error',
    title: 'the certificate at {endpoints} is not for {host}',
    cause:
      'kube-apiserver asks for the name {host} whatever the address; the certificate has other names. A server that is given no certificate makes one for "localhost".',
    fix: 'Issue a certificate for {host} and hand it to the server (--tls-cert-file, --tls-private-key-file).',
  },
  'cert/common-name-only': {
    severity: 'error',
    title: 'the certificate at {endpoints} has no subject alternative name',
    cause: 'Go ignores the common name; only subject alternative names count.',
    fix: 'Issue a certificate with the DNS name {host} as subject alternative name.',
  },
  'cert/wrong-usage': {
    severity: 'error',
    title: 'the certificate at {endpoints} is not for servers',
    cause: 'Its extended key usage does not include serverAuth (RFC 5280 4.2.1.12).',
    fix: 'Issue a certificate with extendedKeyUsage serverAuth.',
  },
  'cert/name-constraints': {
    severity: 'error',
    title: 'the CA {subject} may not sign for the names of the certificate at {endpoints}',
    cause: 'Its name constraints do not permit them (RFC 5280 4.2.1.10).',
    fix: 'Use a CA made for {host}, or one without name constraints.',
  },
  'cert/path-length': {
    severity: 'error',
    title: 'the CA {subject} may not have so many CAs below it',
    cause: 'Its basicConstraints carry a pathLenConstraint (RFC 5280 4.2.1.9) that the chain at {endpoints} exceeds.',
    fix: 'Issue the serving certificate from the CA itself, or use a CA without that limit.',
  },
  'cert/weak-signature': {
    severity: 'error',
    title: 'the certificate {subject} at {endpoints} is signed with {algorithm}',
    cause: 'Go does not accept signatures made with MD5 or SHA-1.',
    fix: 'Issue it again with SHA-256 or better.',
  },
  'cert/refused-key': {
    severity: 'error',
    title: 'the certificate {subject} at {endpoints} has a key that Go refuses ({algorithm})',
    cause: 'Go does not accept RSA keys under 1024 bits.',
    fix: 'Issue it again with ecdsa-p256 or rsa-2048.',
  },
  'cert/weak-key': {
    severity: 'warning',
    title: 'the certificate {subject} at {endpoints} has a weak key ({algorithm})',
    cause: 'RSA keys under 2048 bits can be broken; Go rejects those under 1024.',
    fix: 'Issue it again with ecdsa-p256 or rsa-2048.',
  },
  'security/insecure-skip-tls-verify': {
    severity: 'warning',
    title: '{name} has insecureSkipTLSVerify: true',
    cause: 'kube-apiserver sends the identities of its users to whoever answers at the address of the Service.',
    fix: 'Register the API with a caBundle: apisvc init, apisvc register',
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
