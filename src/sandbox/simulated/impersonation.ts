import type { IncomingMessage } from 'node:http';
import { badRequest, forbidden } from '../shared/failure.ts';
import type { UserInfo } from '../shared/identity.ts';
import type { RequestInfo } from '../shared/request-info.ts';
import type { Authorize } from './authorization.ts';

const extraPrefix = 'impersonate-extra-';

/**
 * Who a request is to be taken as coming from, by its Impersonate headers
 * (k8s.io/apiserver/pkg/endpoints/filters/impersonation/impersonation.go).
 * @param user - who asks
 * @param mayI - tells whether they may be somebody else
 * @returns `user` itself without such headers
 * @throws ApiFailure 403 when they may not; 400 for headers that name no user
 */
export function impersonate(user: UserInfo, request: IncomingMessage, mayI: Authorize): UserInfo {
  const wanted = wantedBy(request);
  if (!wanted) return user;
  const account = serviceAccountOf(wanted.name);
  const check = (resource: string, name: string, more: Partial<RequestInfo> = {}): void => {
    const info: RequestInfo = { ...asking, resource, name, ...more };
    const decision = mayI(user, info);
    if (!decision.allowed) throw forbidden(user, info, decision.reason);
  };
  if (account) check('serviceaccounts', account.name, { namespace: account.namespace });
  else check('users', wanted.name);
  const group = 'authentication.k8s.io';
  if (wanted.uid) check('uids', wanted.uid, { group });
  for (const each of wanted.groups) check('groups', each);
  for (const [subresource, values] of Object.entries(wanted.extra))
    for (const value of values) check('userextras', value, { group, subresource });

  const fixed = account ? ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`] : [];
  return { ...wanted, groups: withEverybody(wanted.name, wanted.groups.length > 0 ? wanted.groups : fixed) };
}

const asking: RequestInfo = {
  verb: 'impersonate',
  path: '',
  isResource: true,
  group: '',
  version: 'v1',
  resource: '',
  subresource: '',
  namespace: '',
  name: '',
};

/** What the headers say; undefined when there are none. */
function wantedBy({ headersDistinct }: IncomingMessage): UserInfo | undefined {
  const values = (name: string): readonly string[] => headersDistinct[`impersonate-${name}`] ?? [];
  const found = new Map<string, readonly string[]>();
  for (const [name, given = []] of Object.entries(headersDistinct).filter(([each]) => each.startsWith(extraPrefix))) {
    const key = unescaped(name.slice(extraPrefix.length));
    found.set(key, [...(found.get(key) ?? []), ...given]);
  }
  const extra = Object.fromEntries(found);
  const [name = ''] = values('user');
  const [uid = ''] = values('uid');
  const groups = values('group');
  if (name !== '') return { name, ...(uid === '' ? {} : { uid }), groups, extra };
  if (uid === '' && groups.length === 0 && found.size === 0) return undefined;
  throw badRequest('impersonation is requested without impersonating a user name');
}

/** Keys of extra travel in lower case, and escaped as in a path. */
function unescaped(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

/**
 * k8s.io/apiserver/pkg/authentication/serviceaccount/util.go, SplitUsername; the names are a DNS
 * label and a DNS subdomain.
 */
function serviceAccountOf(user: string): { readonly namespace: string; readonly name: string } | undefined {
  const [, namespace, name] =
    /^system:serviceaccount:([a-z0-9](?:[-a-z0-9]*[a-z0-9])?):([a-z0-9](?:[-.a-z0-9]*[a-z0-9])?)$/.exec(user) ?? [];
  return namespace && name ? { namespace, name } : undefined;
}

/** The group of everybody of one's sort belongs to each user. */
function withEverybody(name: string, groups: readonly string[]): readonly string[] {
  const group = name === 'system:anonymous' ? 'system:unauthenticated' : 'system:authenticated';
  return groups.includes(group) || groups.includes('system:unauthenticated') ? groups : [...groups, group];
}
