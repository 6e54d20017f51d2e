import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { bearerToken } from '../shared/bearer.ts';
import { notFound } from '../shared/failure.ts';
import { anonymous, authenticated, type UserInfo, userOfCertificate } from '../shared/identity.ts';
import { aggregate } from './authorization.ts';
import { kindOf } from './kinds.ts';
import { type Claims, createTokenReader, issuer } from './service-account-jwt.ts';
import type { Kind, Simulation, Store } from './types.ts';

/** Who a token stands for, or why it stands for nobody. */
type TokenAnswer = { readonly user: UserInfo; readonly audiences: readonly string[] } | { readonly error: string };

/** @param audiences - those whom the token is shown to; it must be meant for one of them */
export type AuthenticateToken = (token: string, audiences: readonly string[]) => TokenAnswer;

/**
 * Tells who asks: by a client certificate that the cluster's CA signed, else by the token of a
 * ServiceAccount. The server is to ask for a certificate (`requestCert`, with the CA as `ca`) and
 * to let in those without (`rejectUnauthorized: false`).
 * @returns undefined when credentials were shown and none is good, to be answered with 401;
 * system:anonymous when there were none
 */
export function createAuthenticator(simulation: Simulation): (request: IncomingMessage) => UserInfo | undefined {
  const authenticateToken = createTokenAuthenticator(simulation);
  return (request) => userOfRequest(request, simulation.now(), authenticateToken);
}

/** In the order of k8s.io/kubernetes/pkg/kubeapiserver/authenticator/config.go. */
function userOfRequest({ socket, headers }: IncomingMessage, now: Date, authenticateToken: AuthenticateToken): UserInfo | undefined {
  const { authorized } = socket as TLSSocket;
  const certificate = (socket as TLSSocket).getPeerX509Certificate();
  // The connection may have outlived it.
  const user = certificate && authorized && new Date(certificate.validTo) >= now ? userOfCertificate(certificate) : undefined;
  if (user) return authenticated(user);
  const token = bearerToken(headers);
  if (token === undefined) return certificate ? undefined : anonymous;
  const answer = authenticateToken(token, [issuer]);
  return 'user' in answer ? answer.user : undefined;
}

const extraPrefix = 'authentication.kubernetes.io/';

/** Checks tokens of ServiceAccounts (k8s.io/kubernetes/pkg/serviceaccount/jwt.go). */
export function createTokenAuthenticator({ store, files, now }: Simulation): AuthenticateToken {
  const read = createTokenReader(files.serviceAccountPublicKey);
  const refusal = (...reasons: string[]) => ({ error: aggregate(['invalid bearer token', ...reasons]) });
  return (token, wanted) => {
    const claims = read(token);
    if ('fault' in claims) return refusal(...(claims.fault === undefined ? [] : [claims.fault]));
    const audiences = claims.aud.filter((each) => wanted.includes(each));
    if (audiences.length === 0)
      return refusal(`token audiences ${quoted(claims.aud)} is invalid for the target audiences ${quoted(wanted)}`);
    const fault = faultOf(store, claims, now());
    return fault === undefined ? { user: userOfToken(claims), audiences } : refusal(fault);
  };
}

/** Go's %q of strings. */
const quoted = (words: readonly string[]): string => `[${words.map((word) => JSON.stringify(word)).join(' ')}]`;
const core = (kind: string): Kind => kindOf('', kind) as Kind;
/** How far apart clocks may be (go-jose, jwt.DefaultLeeway). */
const leewaySeconds = 60;

/**
 * Why a token that was signed is not good now (k8s.io/kubernetes/pkg/serviceaccount/claims.go,
 * Validate).
 */
function faultOf(store: Store, claims: Claims, now: Date): string | undefined {
  const seconds = now.getTime() / 1000;
  if (seconds - leewaySeconds > claims.exp) return 'service account token has expired';
  const { namespace, serviceaccount, pod } = claims['kubernetes.io'];
  const account = store.get(core('ServiceAccount'), namespace, serviceaccount.name);
  if (!account) return notFound(core('ServiceAccount'), serviceaccount.name).message;
  const { uid } = account.metadata;
  if (uid !== serviceaccount.uid) return `service account UID (${uid}) does not match claim (${serviceaccount.uid})`;
  const gone = pod && store.get(core('Pod'), namespace, pod.name)?.metadata.uid !== pod.uid;
  return gone ? 'service account token has been invalidated' : undefined;
}

/** k8s.io/apiserver/pkg/authentication/serviceaccount/util.go, UserInfo. */
function userOfToken({ sub, jti, 'kubernetes.io': { namespace, serviceaccount, pod, node } }: Claims): UserInfo {
  const known = {
    'credential-id': `JTI=${jti}`,
    'node-name': node?.name,
    'node-uid': node?.uid,
    'pod-name': pod?.name,
    'pod-uid': pod?.uid,
  };
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
  const extra = Object.entries(known).flatMap(([key, value]) => (value ? [[`${extraPrefix}${key}`, [value]]] : []));
  return { name: sub, uid: serviceaccount.uid, groups, extra: Object.fromEntries(extra) };
}
