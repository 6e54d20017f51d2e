import type { IncomingMessage } from 'node:http';
import { badRequest, forbidden, notSimulated } from '../shared/failure.ts';
import type { UserInfo } from '../shared/identity.ts';
import type { RequestInfo } from '../shared/request-info.ts';
import type { Authorize } from './authorization.ts';

/**
 * Applies the Impersonate-User and Impersonate-Group headers
 * (k8s.io/apiserver/pkg/endpoints/filters/impersonation/impersonation.go).
 * @param user - the sender
 * @returns the impersonated user; `user` without such headers
 * @throws ApiFailure 403 when the sender may not; 400 without a user; 501 for a uid or extra fields
 */
export function impersonate(user: UserInfo, { headersDistinct }: IncomingMessage, authorize: Authorize): UserInfo {
  const [name] = headersDistinct['impersonate-user'] ?? [];
  const groups = headersDistinct['impersonate-group'] ?? [];
  if (Object.keys(headersDistinct).some((header) => /^impersonate-(uid|extra-)/.test(header)))
    throw notSimulated('Impersonate-Uid and Impersonate-Extra headers');
  if (!name && groups.length === 0) return user;
  if (!name) throw badRequest('impersonation is requested without impersonating a user name');

  const account = serviceAccountOf(name);
  const check = (resource: string, impersonated: string, namespace = ''): void => {
    const info: RequestInfo = { ...attributes, resource, name: impersonated, namespace };
    const decision = authorize(user, info);
    if (!decision.allowed) throw forbidden(user, info, decision.reason);
  };
  if (account) check('serviceaccounts', account.name, account.namespace);
  else check('users', name);
  for (const each of groups) check('groups', each);

  const ofAccount = account ? ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`] : [];
  const all = groups.length > 0 ? groups : ofAccount;
  const base = name === 'system:anonymous' ? 'system:unauthenticated' : 'system:authenticated';
  const hasBase = all.includes(base) || all.includes('system:unauthenticated');
  return { name, groups: hasBase ? all : [...all, base], extra: {} };
}

const attributes = { verb: 'impersonate', path: '', isResource: true, group: '', version: 'v1', subresource: '' };

/** k8s.io/apiserver/pkg/authentication/serviceaccount/util.go, SplitUsername. */
function serviceAccountOf(user: string): { readonly namespace: string; readonly name: string } | undefined {
  const [, namespace, name] =
    /^system:serviceaccount:([a-z0-9](?:[-a-z0-9]*[a-z0-9])?):([a-z0-9](?:[-.a-z0-9]*[a-z0-9])?)$/.exec(user) ?? [];
  return namespace && name ? { namespace, name } : undefined;
}
