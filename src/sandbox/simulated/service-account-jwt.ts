import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** The issuer of ServiceAccount tokens, and their audience unless another one is requested. */
export const issuer = 'https://kubernetes.default.svc';

interface Reference {
  readonly name: string;
  readonly uid: string;
}

/** k8s.io/kubernetes/pkg/serviceaccount/claims.go; times in seconds since 1970. */
export interface Claims {
  readonly aud: readonly string[];
  readonly exp: number;
  readonly iat: number;
  readonly iss: string;
  readonly jti: string;
  readonly 'kubernetes.io': {
    readonly namespace: string;
    readonly pod?: Reference;
    readonly serviceaccount: Reference;
  };
  readonly nbf: number;
  readonly sub: string;
}

const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
/** RFC 7518, section 3.4: the two numbers of the signature side by side. */
const dsaEncoding = 'ieee-p1363';

/** A JSON Web Token (RFC 7519). @param keyFile - of a P-256 private key, PEM */
export function signToken(claims: Claims, keyFile: string): string {
  const key = createPrivateKey(readFileSync(keyFile));
  const text = `${encoded({ alg: 'ES256' })}.${encoded(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding }).toString('base64url')}`;
}

/**
 * Reads tokens of `signToken`. Only their signature is verified.
 * @param keyFile - of the public key, PEM
 * @returns reads one; undefined for a token of another issuer or key
 */
export function createTokenReader(keyFile: string): (token: string) => Claims | undefined {
  const key = createPublicKey(readFileSync(keyFile));
  return (token) => {
    const [header = '', payload = '', signature = '', ...more] = token.split('.');
    try {
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
      const isSigned = verify('sha256', Buffer.from(`${header}.${payload}`), { key, dsaEncoding }, Buffer.from(signature, 'base64url'));
      return isSigned && more.length === 0 && claims.iss === issuer ? claims : undefined;
    } catch {
      return undefined;
    }
  };
}
