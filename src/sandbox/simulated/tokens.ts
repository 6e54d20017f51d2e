import { randomUUID } from 'node:crypto';
import { trackUpdate } from './apply.ts';
import { badRequest, conflict, invalid, notFound } from './failure.ts';
import { checkNamespace, specOf } from './go-types.ts';
import { apiVersionOf, kindOf } from './kinds.ts';
import { writeOptions } from './options.ts';
import { type Claims, issuer, signToken } from './service-account-jwt.ts';
import { timestamp } from './store.ts';
import type { Call, Kind, Obj, Simulation, Store } from './types.ts';

const core = (kind: string): Kind => kindOf('', kind) as Kind;
const tokenRequest: Kind = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest', plural: 'token', namespaced: true };

/**
 * Answers a TokenRequest, `POST serviceaccounts/NAME/token` (k8s.io/kubernetes/pkg/registry/core/serviceaccount/storage/token.go).
 * @param body - the TokenRequest, or an empty object
 * @returns it, completed, with the token in its status
 * @throws ApiFailure 400, 404, 409 or 422 in kube-apiserver's words
 */
export function serviceAccountToken({ store, files, now }: Simulation, { info, url, request }: Call, body: Obj): Obj {
  const { namespace, name } = info;
  const { metadata = {} } = body;
  checkNamespace(metadata, namespace);
  if (metadata.name && metadata.name !== name)
    throw fault(name, 'metadata.name', metadata.name, 'must match the service account name if specified');
  const account = store.get(core('ServiceAccount'), namespace, name);
  if (!account) throw notFound(core('ServiceAccount'), name);
  const { uid } = account.metadata;
  const spec = { expirationSeconds: 3600, ...specOf(tokenRequest.kind, body.spec) };
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

const fault = (name: string, field: string, value: unknown, message: string) =>
  invalid(tokenRequest, name, [{ reason: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(value)}: ${message}`, field }]);

/** k8s.io/kubernetes/pkg/apis/authentication/validation/validation.go, ValidateTokenRequest. */
function checkLifetime(seconds: number): void {
  const limit = seconds < 600 ? 'less than 10 minutes' : seconds > 2 ** 32 ? 'larger than 2^32 seconds' : undefined;
  if (limit) throw fault('', 'spec.expirationSeconds', seconds, `may not specify a duration ${limit}`);
}

/** What else must be there for the token to be good: a pod, with its node for information, or a Secret. */
function boundTo(store: Store, account: Obj, reference: Obj): Pick<Claims['kubernetes.io'], 'node' | 'pod' | 'secret'> {
  if (!reference) return {};
  const { apiVersion = '', kind = '', name, uid } = reference;
  if (apiVersion !== 'v1' || !['Pod', 'Secret'].includes(kind)) {
    const [version, group = ''] = apiVersion.split('/').reverse();
    throw badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${kind}`);
  }
  const object = store.get(core(kind), account.metadata.namespace, name);
  if (!object) throw notFound(core(kind), name);
  const found = { name, uid: object.metadata.uid };
  const { serviceAccountName = 'default', nodeName } = object.spec ?? {};
  if (kind === 'Pod' && serviceAccountName !== account.metadata.name) {
    throw badRequest(`cannot bind token for serviceaccount "${account.metadata.name}" to pod running with different serviceaccount name.`);
  }
  if (uid && uid !== found.uid) {
    const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict({ ...core(kind), plural: kind }, name, why);
  }
  if (kind === 'Secret') return { secret: found };
  return { ...(nodeName && { node: { name: nodeName, uid: store.get(core('Node'), undefined, nodeName)?.metadata.uid } }), pod: found };
}
