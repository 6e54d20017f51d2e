import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Cluster } from '../../cluster/cluster.ts';
import { type Resource, resourcePath, resources } from '../../cluster/resources.ts';
import { readJson, readStatus } from '../../cluster/status.ts';
import { certificateInfo } from '../../pki/inspect.ts';
import { wouldAcceptClient } from '../../pki/trust.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { bearerToken } from '../shared/bearer.ts';
import { forbidden } from '../shared/failure.ts';
import { anonymous, authenticated, type UserInfo } from '../shared/identity.ts';
import type { RequestInfo } from '../shared/request-info.ts';
import type { ClientTrust } from './client-trust.ts';

/** Authentication and authorization, which an extension API server delegates to kube-apiserver. */
export interface Delegation {
  /** @throws Unauthenticated */
  readonly authenticate: (request: IncomingMessage) => Promise<UserInfo>;
  /** @throws ApiFailure 403; Error when kube-apiserver does not answer the review */
  readonly authorize: (user: UserInfo, info: RequestInfo) => Promise<void>;
}

/** The credentials are invalid. The message is for the log; the client only gets status 401. */
export class Unauthenticated extends Error {}

/**
 * The default AlwaysAllowPaths: kubelets send no credentials (pkg/server/options/authorization.go).
 */
const openPaths: ReadonlySet<string> = new Set(['/healthz', '/livez', '/readyz']);
/** The default AlwaysAllowGroups. */
const masters = 'system:masters';

/**
 * Delegates as k8s.io/apiserver does (pkg/authentication/authenticatorfactory/delegating.go), with
 * two authenticators: the front proxy, then bearer tokens. One of them must succeed; a request
 * without credentials is anonymous.
 */
export function createDelegation(cluster: Cluster, trust: () => ClientTrust, signal: AbortSignal): Delegation {
  /**
   * Creates a TokenReview or a SubjectAccessReview. @returns its status
   * @throws Error with the message of kube-apiserver, for example without system:auth-delegator
   */
  const review = async <Status>(resource: Resource, spec: object): Promise<Status> => {
    const body = { apiVersion: resource.apiVersion, kind: resource.kind, spec };
    const answer = await cluster.request({ method: 'POST', path: resourcePath(resource), body, signal });
    if (answer.status !== 201) throw new Error(readStatus(answer).message);
    return readJson<{ status: Status }>(cluster, answer).status;
  };
  const userOfToken = async ({ headers }: IncomingMessage): Promise<UserInfo | undefined> => {
    const token = bearerToken(headers);
    if (token === undefined) return undefined;
    const { authenticated: valid, user, error } = await review<TokenReviewStatus>(resources.TokenReview, { token });
    if (!valid || !user) throw new Error(error || 'invalid bearer token');
    const { username = '', uid, groups = [], extra = {} } = user;
    return { name: username, ...(uid === undefined ? {} : { uid }), groups, extra };
  };
  return {
    authenticate: async (request) => {
      const faults: string[] = [];
      for (const authenticator of [async () => userOfFrontProxy(request, trust()), userOfToken]) {
        try {
          const user = await authenticator(request);
          if (user) return authenticated(user);
        } catch (error) {
          faults.push((error as Error).message);
        }
      }
      if (faults.length > 0) throw new Unauthenticated(`Unable to authenticate the request: ${faults.join(', ')}`);
      return anonymous;
    },
    authorize: async (user, info) => {
      if (openPaths.has(info.path) || user.groups.includes(masters)) return;
      const { name, uid, groups, extra } = user;
      const spec = { user: name, uid, groups, extra, ...attributes(info) };
      const { allowed = false, denied = false, reason = '' } = await review<AccessReviewStatus>(resources.SubjectAccessReview, spec);
      if (!allowed || denied) throw forbidden(user, info, reason);
    },
  };
}

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

interface AccessReviewStatus {
  readonly allowed?: boolean;
  readonly denied?: boolean;
  readonly reason?: string;
}

function attributes({ isResource, path, verb, group, version, resource, subresource, namespace, name }: RequestInfo): object {
  if (!isResource) return { nonResourceAttributes: { path, verb } };
  return { resourceAttributes: { namespace, verb, group, version, resource, subresource, name } };
}

/** The unverified certificates of the client, its own first. */
function* chainOf({ socket }: IncomingMessage): Generator<CertificateInfo> {
  if (!(socket instanceof TLSSocket)) return;
  for (let each = socket.getPeerX509Certificate(); each; each = each.issuerCertificate) yield certificateInfo(each.raw);
}

/**
 * The user in the headers of the front proxy. Without its certificate they are ignored, because any
 * client can send headers
 * (k8s.io/apiserver/pkg/authentication/request/headerrequest/requestheader.go). The extra headers
 * are not used.
 */
function userOfFrontProxy(request: IncomingMessage, { roots, allowedNames, headers }: ClientTrust): UserInfo | undefined {
  const presented = [...chainOf(request)];
  const [proxy] = presented;
  if (!proxy) return undefined;
  if (!wouldAcceptClient({ presented, roots, now: new Date() })) {
    throw new Error(`client certificate ${proxy.subject} is not signed by the CA in requestheader-client-ca-file`);
  }
  if (allowedNames.length > 0 && !allowedNames.includes(proxy.commonName ?? '')) {
    throw new Error(`x509: subject with cn=${proxy.commonName ?? ''} is not in the allowed list`);
  }
  const values = (names: readonly string[]): string[] =>
    names.flatMap((name) => request.headersDistinct[name] ?? []).filter((value) => value !== '');
  const [name] = values(headers.user);
  const [uid] = values(headers.uid);
  if (name === undefined) throw new Error('the front proxy sent no user name');
  return { name, ...(uid === undefined ? {} : { uid }), groups: values(headers.group), extra: {} };
}
