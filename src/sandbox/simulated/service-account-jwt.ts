import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

/**
 * What the tokens of ServiceAccounts name as their issuer and, unless asked otherwise, as their
 * audience.
 */
export const issuer = 'https://kubernetes.default.svc';

interface Reference {
  readonly name: string;
  readonly uid: string;
}

/**
 * What a token says (k8s.io/kubernetes/pkg/serviceaccount/claims.go); times are seconds since 1970.
 */
export interface Claims {
  readonly aud: readonly string[];
  readonly exp: number;
  readonly iat: number;
  readonly iss: string;
  readonly jti: string;
  readonly 'kubernetes.io': {
    readonly namespace: string;
    /** Without a uid when no such Node is there. */
    readonly node?: Partial<Reference>;
    readonly pod?: Reference;
    readonly serviceaccount: Reference;
  };
  readonly nbf: number;
  readonly sub: string;
}

const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
const decoded = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
/** As k8s.io/kubernetes/pkg/serviceaccount/jwt.go, keyIDFromPublicKey. */
const keyId = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
/** RFC 7518, section 3.4: the two numbers of the signature side by side. */
const dsaEncoding = 'ieee-p1363';

/** A JSON web token (RFC 7519). @param keyFile - of a P-256 private key, PEM */
export function signToken(claims: Claims, keyFile: string): string {
  const key = createPrivateKey(readFileSync(keyFile));
  const text = `${encoded({ alg: 'ES256', kid: keyId(createPublicKey(key)) })}.${encoded(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding }).toString('base64url')}`;
}

/**
 * Reads tokens that `signToken` made. Whether they are good now is for others to say.
 * @param keyFile - of the public key, PEM
 * @returns what gives the claims, or says in kube-apiserver's words what is wrong: nothing where
 * the token is not one of this issuer
 */
export function createTokenReader(keyFile: string): (token: string) => Claims | { readonly fault: string | undefined } {
  const key = createPublicKey(readFileSync(keyFile));
  const kid = keyId(key);
  return (token) => {
    const [header = '', payload = '', signature = '', ...more] = token.split('.');
    try {
      const claims = decoded(payload);
      if (more.length > 0 || claims.iss !== issuer) return { fault: undefined };
      if (decoded(header).kid !== kid) return { fault: 'invalid signature, no keys found' };
      const good = verify('sha256', Buffer.from(`${header}.${payload}`), { key, dsaEncoding }, Buffer.from(signature, 'base64url'));
      return good ? claims : { fault: 'go-jose/go-jose: error in cryptographic primitive' };
    } catch {
      return { fault: undefined };
    }
  };
}
