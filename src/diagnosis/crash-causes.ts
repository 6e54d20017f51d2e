import type { Code } from './catalog.ts';

/**
 * The last messages of a crashing server (k8s.io/apiserver, OpenSSL), by the finding that is the
 * cause.
 */
export const crashCauses = {
  'auth/reader-missing': /extension-apiserver-authentication\b.{0,20} is forbidden/,
  'auth/requestheader-missing': /extension-apiserver-authentication\b.{0,20} not found|missing content for CA bundle/,
  // crypto/tls, X509KeyPair.
  'security/key-mismatch': /private key (?:type )?does not match public key|key values mismatch/,
  'cert/secret-unreadable': /in certificate input|x509: malformed|no start line|open \S+\.(?:crt|pem|cert): no such file/,
} as const satisfies Readonly<Partial<Record<Code, RegExp>>>;
