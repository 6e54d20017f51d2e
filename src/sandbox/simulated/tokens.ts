import { randomUUID } from 'node:crypto';
import { badRequest, invalid, notFound, notSimulated } from '../shared/failure.ts';
import { timestamp } from '../shared/timestamp.ts';
import { wrong } from './faults.ts';
import { coreKind } from './kinds.ts';
import { type Claims, issuer, signToken } from './service-account-jwt.ts';
import type { Call, Obj, Simulation, Store } from './types.ts';

/**
 * Answers a TokenRequest, `POST serviceaccounts/NAME/token`
 * (k8s.io/kubernetes/pkg/registry/core/serviceaccount/storage/token.go).
 * @returns metadata, spec and status
 * @throws ApiFailure 400, 404, 422
 */
export function serviceAccountToken({ store, files, now }: Simulation, { info }: Pick<Call, 'info'>, { spec = {} }: Obj): Obj {
  const { namespace, name } = info;
  const account = store.get(coreKind('ServiceAccount'), namespace, name);
  if (!account) throw notFound(coreKind('ServiceAccount'), name);
  const { uid } = account.metadata;
  const { expirationSeconds = 3600, boundObjectRef = null } = spec;
  if (!(expirationSeconds >= 600)) {
    const causes = [wrong('spec.expirationSeconds', expirationSeconds, 'may not specify a duration less than 10 minutes')];
    throw invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, '', causes);
  }
  const audiences = spec.audiences?.length ? spec.audiences : [issuer];
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
  return {
    metadata: { name, namespace, uid, creationTimestamp: timestamp(created) },
    spec: { audiences, expirationSeconds, boundObjectRef },
    status: { token: signToken(claims, files.serviceAccountKey), expirationTimestamp: timestamp(new Date(claims.exp * 1000)) },
  };
}

/** The claims of the pod that a token is bound to. */
function boundTo(store: Store, account: Obj, reference: Obj): Pick<Claims['kubernetes.io'], 'pod'> {
  if (!reference) return {};
  const { kind, name, uid } = reference;
  if (kind !== 'Pod') throw notSimulated('Tokens that are bound to anything but a Pod');
  const pod = store.get(coreKind('Pod'), account.metadata.namespace, name);
  if (!pod || (uid && uid !== pod.metadata.uid)) throw notFound(coreKind('Pod'), name);
  if ((pod.spec.serviceAccountName ?? 'default') !== account.metadata.name)
    throw badRequest(`cannot bind token for serviceaccount "${account.metadata.name}" to pod running with different serviceaccount name.`);
  return { pod: { name, uid: pod.metadata.uid } };
}
