import { nearest } from '../../config/nearest.ts';
import { deniedReviews } from '../denied-reviews.ts';
import { notGiven } from '../observed.ts';
import type { DelegationView, Observed } from '../types.ts';
import { textOf } from '../views.ts';
import {
  type Access,
  type Account,
  authenticationReader,
  type Binding,
  type Bindings,
  bindingText,
  grants,
  isSubject,
  subjectText,
  userOf,
} from './rbac.ts';

/** What the ServiceAccount of a server may do, according to the RBAC objects of the files. */

const tokens: Access = { group: 'authentication.k8s.io', resource: 'tokenreviews', verb: 'create' };
const access: Access = { group: 'authorization.k8s.io', resource: 'subjectaccessreviews', verb: 'create' };
const configMap: Access = {
  group: '',
  resource: 'configmaps',
  verb: 'get',
  name: 'extension-apiserver-authentication',
  namespace: 'kube-system',
};

type Miss = NonNullable<DelegationView['misses']>[number];

/** Undefined where the files do not tell. */
interface Answer {
  readonly allowed: boolean | undefined;
  readonly misses: readonly Miss[];
}

/**
 * Files rarely contain all RBAC. A permission is denied only where a binding of the files misses
 * the account: it binds another ServiceAccount that no workload uses, or is in the wrong namespace.
 * @param inUse the ServiceAccounts of all workloads, as `<namespace>:<name>`
 */
export function offlineDelegation(bindings: Bindings, account: Account, inUse: ReadonlySet<string>): Observed<DelegationView> {
  const bound = bindings.boundTo(account);
  const granted = (wanted: Access): boolean => bound.some((binding) => grants(binding, wanted));
  const unknownRole = bound.find(({ rules }) => rules === undefined);
  const answer = (permission: Miss['permission'], wanted: readonly Access[], role: string): Answer => {
    const allowed = wanted.every(granted);
    if (allowed) return { allowed, misses: [] };
    const close = [...new Set([...bound, ...bindings.near(account)])].filter(
      (binding) => binding.role.name === role || wanted.some((each) => grants(binding, each)),
    );
    const misses = close.flatMap((binding) => missOf(binding, account, inUse, permission) ?? []);
    return unknownRole || misses.length === 0 ? { allowed: undefined, misses: [] } : { allowed, misses };
  };
  const review = answer('review', [tokens, access], 'system:auth-delegator');
  const read = answer('read-authentication', [configMap], authenticationReader);
  const user = userOf(account);
  if (review.allowed === undefined && read.allowed === undefined) {
    return notGiven(
      unknownRole ? `${unknownRole.role.kind} ${unknownRole.role.name} is not in the files` : `no RBAC in the files grants them to ${user}`,
    );
  }
  const misses = [...review.misses, ...read.misses];
  return {
    state: 'seen',
    value: {
      account: user,
      mayReview: review.allowed,
      ...(review.allowed === false ? deniedReviews({ TokenReviews: granted(tokens), SubjectAccessReviews: granted(access) }) : {}),
      mayReadAuthentication: read.allowed,
      ...(misses.length > 0 ? { misses } : {}),
    },
  };
}

const isBound = (binding: Binding, account: Account): boolean => binding.subjects.some((each) => isSubject(each, account, binding));

/** Why a binding that was meant for the account does not grant it the permission. */
function missOf(binding: Binding, account: Account, inUse: ReadonlySet<string>, permission: Miss['permission']): Miss | undefined {
  const { kind, namespace, name, role, subjects } = binding;
  const at = { permission, kind, ...(namespace === undefined ? {} : { namespace }), name };
  if (isBound(binding, account)) {
    const why = kind === 'RoleBinding' ? ` in namespace ${namespace ?? '(none)'}` : ', whose rules do not allow it';
    return { ...at, path: ['metadata', 'namespace'], words: `${bindingText(binding)} binds ${role.kind} ${role.name}${why}` };
  }
  const index = subjects.findIndex((each) => isMeant(each, account, inUse));
  const subject = subjects[index];
  if (subject === undefined) return undefined;
  return { ...at, path: ['subjects', index], words: `${bindingText(binding)} binds ${subjectText(subject)}` };
}

/**
 * Whether a subject probably means the account: a ServiceAccount that no workload of the files
 * uses, with the same name, or in the same namespace with a similar name. `default` is the account
 * of pods without serviceAccountName.
 */
function isMeant({ kind, name, namespace }: Binding['subjects'][number], account: Account, inUse: ReadonlySet<string>): boolean {
  if (kind !== 'ServiceAccount') return false;
  const [givenName, givenNamespace] = [textOf(name), textOf(namespace)];
  if (inUse.has(`${givenNamespace}:${givenName}`) || inUse.has(`:${givenName}`)) return false;
  if (givenName === account.name) return true;
  const either = [givenName, account.name];
  return givenNamespace === account.namespace && (either.includes('default') || nearest(givenName, [account.name]) !== undefined);
}
