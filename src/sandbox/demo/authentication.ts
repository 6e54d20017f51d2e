import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Cluster } from '../../cluster/cluster.ts';
import { resources } from '../../cluster/resources.ts';
import { certificateInfo } from '../../pki/inspect.ts';
import { wouldAcceptClient } from '../../pki/trust.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { bearerToken } from '../shared/bearer.ts';
import { anonymous, authenticated, type UserInfo, userOfCertificate } from '../shared/identity.ts';
import type { ClientTrust } from './client-trust.ts';
import { remembering } from './remembering.ts';
import { review } from './review.ts';

/** What was shown is not believed: 401. The message is for the log; a client learns no more than that. */
export class Unauthenticated extends Error {}

interface TokenReviewStatus {
  readonly authenticated?: boolean;
  readonly user?: {
    readonly username?: string;
    readonly uid?: string;
    readonly groups?: string[];
    readonly extra?: Record<string, string[]>;
  };
  readonly error?: string;
}

/**
 * Finds out who asks, in the order of k8s.io/apiserver (pkg/authentication/authenticatorfactory/delegating.go): the front proxy, which speaks for somebody else; a client
 * certificate of the cluster; a bearer token. The first that is believed counts; with nothing to believe it is nobody.
 * @throws Unauthenticated when something was shown and none of it is believed
 */
export function createAuthenticator(
  cluster: Cluster,
  trust: () => ClientTrust,
  signal: AbortSignal,
): (request: IncomingMessage) => Promise<UserInfo> {
  const byToken = remembering((token) => review<TokenReviewStatus>(cluster, resources.TokenReview, { token }, signal));
  return async (request) => {
    const ways = [() => byFrontProxy(request, trust()), () => byCertificate(request, trust()), () => byBearerToken(request, byToken)];
    const faults: string[] = [];
    for (const way of ways) {
      try {
        const user = await way();
        if (user) return authenticated(user);
      } catch (error) {
        faults.push((error as Error).message);
      }
    }
    if (faults.length > 0) throw new Unauthenticated(`Unable to authenticate the request: ${faults.join(', ')}`);
    return anonymous;
  };
}

/** A connection shows its certificates once, and serves many requests. */
const known = new WeakMap<Socket, readonly CertificateInfo[]>();

/** The certificates that a client showed in the handshake, its own first; none are judged yet. */
function presentedBy(socket: Socket): readonly CertificateInfo[] {
  const presented = known.get(socket) ?? [...chainOf(socket)];
  known.set(socket, presented);
  return presented;
}

function* chainOf(socket: Socket): Generator<CertificateInfo> {
  if (!(socket instanceof TLSSocket)) return;
  for (let each = socket.getPeerX509Certificate(); each; each = each.issuerCertificate) yield certificateInfo(each.raw);
}

/**
 * Who the front proxy says it is. Whatever the headers say, they count for nothing without its certificate: everybody can send headers
 * (k8s.io/apiserver/pkg/authentication/request/headerrequest/requestheader.go).
 */
function byFrontProxy({ socket, headersDistinct: sent }: IncomingMessage, { frontProxy, headers }: ClientTrust): UserInfo | undefined {
  const presented = presentedBy(socket);
  const [proxy] = presented;
  if (!proxy) return undefined;
  if (!wouldAcceptClient({ presented, roots: frontProxy.roots, now: new Date() })) {
    throw new Error(`x509: certificate ${proxy.subject} is not of requestheader-client-ca-file`);
  }
  if (frontProxy.allowedNames.length > 0 && !frontProxy.allowedNames.includes(proxy.commonName ?? '')) {
    throw new Error(`x509: subject with cn=${proxy.commonName ?? ''} is not in the allowed list`);
  }
  const values = (names: readonly string[]): string[] => names.flatMap((name) => sent[name] ?? []).filter((value) => value !== '');
  const [name] = values(headers.user);
  const [uid] = values(headers.uid);
  if (name === undefined) return undefined;
  return { name, ...(uid === undefined ? {} : { uid }), groups: values(headers.group), extra: extraOf(sent, headers.extraPrefix) };
}

function extraOf(sent: IncomingMessage['headersDistinct'], prefixes: readonly string[]): Record<string, string[]> {
  const extra = new Map<string, string[]>();
  for (const prefix of prefixes) {
    for (const [header, values = []] of Object.entries(sent)) {
      if (!header.startsWith(prefix)) continue;
      const key = unescaped(header.slice(prefix.length));
      extra.set(key, [...(extra.get(key) ?? []), ...values]);
    }
  }
  return Object.fromEntries(extra);
}

/** Keys are percent-encoded where a header could not hold them; malformed ones count as they are. */
function unescaped(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

function byCertificate({ socket }: IncomingMessage, { clientRoots }: ClientTrust): UserInfo | undefined {
  const presented = presentedBy(socket);
  const [client] = presented;
  if (!client || clientRoots.length === 0) return undefined;
  if (!wouldAcceptClient({ presented, roots: clientRoots, now: new Date() })) {
    throw new Error(`x509: certificate ${client.subject} is not of client-ca-file`);
  }
  return userOfCertificate(new X509Certificate(client.pem));
}

/** Only kube-apiserver can tell what a token is worth (k8s.io/apiserver/pkg/authentication/request/bearertoken). */
async function byBearerToken(
  { headers }: IncomingMessage,
  ask: (token: string) => Promise<TokenReviewStatus>,
): Promise<UserInfo | undefined> {
  const token = bearerToken(headers);
  if (token === undefined) return undefined;
  const { authenticated: isGood, user, error } = await ask(token);
  if (isGood !== true || !user) throw new Error(error || 'invalid bearer token');
  const { username = '', uid, groups = [], extra = {} } = user;
  return { name: username, ...(uid === undefined ? {} : { uid }), groups, extra };
}
