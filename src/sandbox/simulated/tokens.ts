import { randomUUID } from 'node:crypto';
import { badRequest, invalid, notFound, notSimulated } from '../shared/failure.ts';
import { trackUpdate } from './apply.ts';
import { wrong } from './faults.ts';
import { apiVersionOf, kindOf } from './kinds.ts';
import { writeOptions } from './options.ts';
import { type Claims, issuer, signToken } from './service-account-jwt.ts';
import { timestamp } from './store.ts';
import type { Call, Kind, Obj, Simulation, Store } from './types.ts';

const core = (kind: string): Kind => kindOf('', kind) as Kind;
const tokenRequest: Kind = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest', plural: 'token', namespaced: true };

/**
 * Answers a TokenRequest, `POST serviceaccounts/NAME/token`
 * (k8s.io/kubernetes/pkg/registry/core/serviceaccount/storage/token.go).
 * @param body - the TokenRequest, or an empty object
 * @returns it, completed, with the token in its status
 * @throws ApiFailure 400, 404, 409 or 422 in kube-apiserver's words
 */
export function serviceAccountToken({ store, files, now }: Simulation, { info, url, request }: Call, body: Obj): Obj {
  const { namespace, name } = info;
  const { metadata = {} } = body;
  const account = store.get(core('ServiceAccount'), namespace, name);
  if (!account) throw notFound(core('ServiceAccount'), name);
  const { uid } = account.metadata;
  const spec = { expirationSeconds: 3600, ...body.spec };
  const { expirationSeconds, boundObjectRef = null, audiences: asked = [] } = spec;
  checkLifetime(expirationSeconds);
  const audiences = asked.length === 0 ? [issuer] : asked;
  const created = now();
  const seconds = Math.floor(created.getTime() / 1000);
  const claims: Claims = {
    aud: audiences,
    exp: seconds + expirationSeconds,
    iat: seconds,
    iss: issuer,
    jti: randomUUID(),
    'kubernetes.io': { namespace, ...boundTo(store, account, boundObjectRef), serviceaccount: { name, uid } },
    nbf: seconds,
    sub: `system:serviceaccount:${namespace}:${name}`,
  };
  const manager = writeOptions('CreateOptions', url, request.headers['user-agent']).fieldManager;
  const sent = { kind: tokenRequest, live: undefined, updated: { metadata, spec }, manager, subresource: 'token', now: created };
  return {
    kind: tokenRequest.kind,
    apiVersion: apiVersionOf(tokenRequest),
    metadata: { ...trackUpdate(sent).metadata, name, namespace, uid, creationTimestamp: timestamp(created) },
    spec: { audiences, expirationSeconds, boundObjectRef },
    status: { token: signToken(claims, files.serviceAccountKey), expirationTimestamp: timestamp(new Date(claims.exp * 1000)) },
  };
}

/** k8s.io/kubernetes/pkg/apis/authentication/validation/validation.go, ValidateTokenRequest. */
function checkLifetime(seconds: number): void {
  const limit = seconds < 600 ? 'less than 10 minutes' : seconds > 2 ** 32 ? 'larger than 2^32 seconds' : undefined;
  if (limit) throw invalid(tokenRequest, '', [wrong('spec.expirationSeconds', seconds, `may not specify a duration ${limit}`)]);
}

/** What else must be there for the token to be good: a pod, with its node for information. */
function boundTo(store: Store, account: Obj, reference: Obj): Pick<Claims['kubernetes.io'], 'node' | 'pod'> {
  if (!reference) return {};
  const { kind, name, uid } = reference;
  if (kind !== 'Pod') throw notSimulated('Tokens that are bound to anything but a Pod');
  const pod = store.get(core('Pod'), account.metadata.namespace, name);
  if (!pod || (uid && uid !== pod.metadata.uid)) throw notFound(core('Pod'), name);
  const { serviceAccountName = 'default', nodeName } = pod.spec;
  if (serviceAccountName !== account.metadata.name) {
    throw badRequest(`cannot bind token for serviceaccount "${account.metadata.name}" to pod running with different serviceaccount name.`);
  }
  const node = nodeName && { name: nodeName, uid: store.get(core('Node'), undefined, nodeName)?.metadata.uid };
  return { ...(node && { node }), pod: { name, uid: pod.metadata.uid } };
}
