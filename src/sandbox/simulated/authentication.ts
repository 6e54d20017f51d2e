import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { bearerToken } from '../shared/bearer.ts';
import { notFound } from '../shared/failure.ts';
import { anonymous, authenticated, type UserInfo, userOfCertificate } from '../shared/identity.ts';
import { coreKind } from './kinds.ts';
import { type Claims, createTokenReader, issuer } from './service-account-jwt.ts';
import type { Simulation, Store } from './types.ts';

type TokenAnswer = { readonly user: UserInfo; readonly audiences: readonly string[] } | { readonly error: string };

/** @param audiences - the token must be meant for one of them */
export type AuthenticateToken = (token: string, audiences: readonly string[]) => TokenAnswer;

/**
 * Authenticates by a client certificate of the cluster's CA, else by a ServiceAccount token, in the
 * order of k8s.io/kubernetes/pkg/kubeapiserver/authenticator/config.go. The server must have
 * `requestCert`, with the CA as `ca`, and not `rejectUnauthorized`.
 * @returns the user of a request; undefined for invalid credentials; system:anonymous without any
 */
export function createAuthenticator(simulation: Simulation): (request: IncomingMessage) => UserInfo | undefined {
  const authenticateToken = createTokenAuthenticator(simulation);
  return ({ socket, headers }) => {
    const { authorized } = socket as TLSSocket;
    const certificate = (socket as TLSSocket).getPeerX509Certificate();
    // A connection may outlive its certificate.
    const isValid = certificate && authorized && new Date(certificate.validTo) >= simulation.now();
    const user = isValid ? userOfCertificate(certificate) : undefined;
    if (user) return authenticated(user);
    const token = bearerToken(headers);
    if (token === undefined) return certificate ? undefined : anonymous;
    const answer = authenticateToken(token, [issuer]);
    return 'user' in answer ? answer.user : undefined;
  };
}

/** Verifies ServiceAccount tokens (k8s.io/kubernetes/pkg/serviceaccount/jwt.go). */
export function createTokenAuthenticator({ store, files, now }: Simulation): AuthenticateToken {
  const read = createTokenReader(files.serviceAccountPublicKey);
  return (token, wanted) => {
    const claims = read(token);
    if (!claims) return { error: 'invalid bearer token' };
    const audiences = claims.aud.filter((each) => wanted.includes(each));
    const list = (values: readonly string[]): string => `[${values.map((value) => JSON.stringify(value)).join(' ')}]`;
    const fault =
      audiences.length === 0
        ? `token audiences ${list(claims.aud)} is invalid for the target audiences ${list(wanted)}`
        : faultOf(store, claims, now());
    return fault === undefined ? { user: userOfToken(claims), audiences } : { error: `[invalid bearer token, ${fault}]` };
  };
}

/** How far clocks may be apart (go-jose, jwt.DefaultLeeway). */
const leewaySeconds = 60;

/** k8s.io/kubernetes/pkg/serviceaccount/claims.go, Validate. */
function faultOf(store: Store, claims: Claims, now: Date): string | undefined {
  if (now.getTime() / 1000 - leewaySeconds > claims.exp) return 'service account token has expired';
  const { namespace, serviceaccount, pod } = claims['kubernetes.io'];
  const account = store.get(coreKind('ServiceAccount'), namespace, serviceaccount.name);
  if (!account) return notFound(coreKind('ServiceAccount'), serviceaccount.name).message;
  const { uid } = account.metadata;
  if (uid !== serviceaccount.uid) return `service account UID (${uid}) does not match claim (${serviceaccount.uid})`;
  const gone = pod && store.get(coreKind('Pod'), namespace, pod.name)?.metadata.uid !== pod.uid;
  return gone ? 'service account token has been invalidated' : undefined;
}

/** k8s.io/apiserver/pkg/authentication/serviceaccount/util.go, UserInfo. */
function userOfToken({ sub, jti, 'kubernetes.io': { namespace, serviceaccount, pod } }: Claims): UserInfo {
  const known = {
    'credential-id': `JTI=${jti}`,
    'pod-name': pod?.name,
    'pod-uid': pod?.uid,
  };
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
  const extra = Object.entries(known).flatMap(([key, value]) => (value ? [[`authentication.kubernetes.io/${key}`, [value]]] : []));
  return { name: sub, uid: serviceaccount.uid, groups, extra: Object.fromEntries(extra) };
}
