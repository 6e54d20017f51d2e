import { badRequest, notServed, notSimulated } from '../shared/failure.ts';
import type { UserInfo } from '../shared/identity.ts';
import type { RequestInfo } from '../shared/request-info.ts';
import { timestamp } from '../shared/timestamp.ts';
import type { AuthenticateToken } from './authentication.ts';
import type { Authorize } from './authorization.ts';
import { apiVersionOf, reviewKinds } from './kinds.ts';
import { issuer } from './service-account-jwt.ts';
import { serviceAccountToken } from './tokens.ts';
import type { Call, Kind, Obj, Simulation } from './types.ts';

/** Answers an object that is never stored. */
interface Review {
  readonly kind: Pick<Kind, 'group' | 'version' | 'kind'>;
  /** @throws ApiFailure */
  answer(call: Call, sent: Obj): Obj;
}

const tokenRequest = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' };

/**
 * The reviews of k8s.io/kubernetes/pkg/registry/{authorization,authentication}, and TokenRequests.
 * @returns that of a request; undefined for other requests
 */
export function createReviews(
  simulation: Simulation,
  authorize: Authorize,
  authenticateToken: AuthenticateToken,
): (info: RequestInfo) => Review | undefined {
  const access = (user: UserInfo, spec: Obj): Obj => {
    const { allowed, reason } = authorize(user, infoOf(spec));
    return { spec, status: { allowed, ...(reason === '' ? {} : { reason }) } };
  };
  const answers: Readonly<Record<string, (call: Call, spec: Obj) => Obj>> = {
    SelfSubjectReview: ({ user }) => ({
      metadata: { creationTimestamp: timestamp(simulation.now()) },
      status: { userInfo: written(user) },
    }),
    TokenReview: (_, spec) => ({ spec, status: reviewToken(spec, authenticateToken) }),
    SelfSubjectAccessReview: ({ user }, spec) => access(user, spec),
    // The subject is in the groups that the review lists, and in no others.
    SubjectAccessReview: (_, spec) =>
      access({ name: spec.user ?? '', uid: spec.uid, groups: spec.groups ?? [], extra: spec.extra ?? {} }, spec),
  };
  return ({ group, version, resource, subresource, name }) => {
    if (group === '' && resource === 'serviceaccounts' && subresource === 'token')
      return { kind: tokenRequest, answer: (call, sent) => ({ ...typeOf(tokenRequest), ...serviceAccountToken(simulation, call, sent) }) };
    const kind = reviewKinds.find((each) => each.group === group && each.version === version && each.plural === resource);
    if (kind && name !== '') throw notServed();
    return kind && { kind, answer: (call, { spec = {} }) => ({ ...typeOf(kind), metadata: {}, ...answerOf(kind)(call, spec) }) };
  };

  function answerOf({ kind }: Kind): (call: Call, spec: Obj) => Obj {
    const answer = answers[kind];
    if (!answer) throw notSimulated(`Objects of kind ${kind}`);
    return answer;
  }
}

const typeOf = (kind: Pick<Kind, 'group' | 'version' | 'kind'>): Obj => ({ kind: kind.kind, apiVersion: apiVersionOf(kind) });

/** authentication.k8s.io/v1, UserInfo. */
const written = ({ name, uid, groups, extra }: UserInfo): Obj => ({
  username: name,
  ...(uid ? { uid } : {}),
  groups,
  ...(Object.keys(extra).length === 0 ? {} : { extra }),
});

function reviewToken({ token, audiences = [] }: Obj, authenticateToken: AuthenticateToken): Obj {
  if (!token) throw badRequest('token is required for TokenReview in authentication');
  const answer = authenticateToken(token, audiences.length === 0 ? [issuer] : audiences);
  return 'error' in answer
    ? { user: {}, error: answer.error }
    : { authenticated: true, user: written(answer.user), audiences: answer.audiences };
}

/** The attributes of the request that an access review is about. */
function infoOf({ resourceAttributes, nonResourceAttributes }: Obj): RequestInfo {
  const nothing = { verb: '', path: '', group: '', version: '*', resource: '', subresource: '', namespace: '', name: '' };
  return { ...nothing, ...(resourceAttributes ?? nonResourceAttributes), isResource: Boolean(resourceAttributes) };
}
