import { badRequest, invalid, notSimulated } from '../shared/failure.ts';
import type { UserInfo } from '../shared/identity.ts';
import type { RequestInfo } from '../shared/request-info.ts';
import { trackUpdate } from './apply.ts';
import type { AuthenticateToken } from './authentication.ts';
import type { Authorize } from './authorization.ts';
import { type Wrong, wrong } from './faults.ts';
import { apiVersionOf, questions } from './kinds.ts';
import { writeOptions } from './options.ts';
import { issuer } from './service-account-jwt.ts';
import { timestamp } from './store.ts';
import type { Call, Kind, Obj, Simulation } from './types.ts';

/** Answers a question that was posted. @throws ApiFailure 400 or 422 in kube-apiserver's words */
type Review = (call: Call, body: Obj) => Obj;
/** The same, of an object that has its metadata and spec. */
type Answer = (call: Call, sent: { readonly metadata: Obj; readonly spec: Obj }) => Obj;

/**
 * Everything that is answered when it is created and never kept
 * (k8s.io/kubernetes/pkg/registry/{authorization,authentication}), by `group/plural`.
 * @param authorize - of createAuthorizer
 * @param authenticateToken - of createTokenAuthenticator
 * @returns what takes the object that was sent, `{}` included, and gives the one to answer with 201
 */
export function createReviews(
  { now }: Pick<Simulation, 'now'>,
  authorize: Authorize,
  authenticateToken: AuthenticateToken,
): ReadonlyMap<string, Review> {
  const allowed = (user: UserInfo, spec: Obj): Obj => {
    const { allowed, reason } = authorize(user, infoOf(spec));
    return { allowed, ...(reason === '' ? {} : { reason }) };
  };
  const answers: Readonly<Record<string, Answer>> = {
    SelfSubjectReview: ({ user }) => ({ metadata: { creationTimestamp: timestamp(now()) }, status: { userInfo: written(user) } }),
    TokenReview: (_, { metadata, spec }) => ({ metadata, spec, status: reviewToken(spec, authenticateToken) }),
    SelfSubjectAccessReview: ({ user }, { metadata, spec }) => {
      refuse([...attributeFaults(spec), ...metadataFaults(metadata)]);
      return { metadata, spec, status: allowed(user, spec) };
    },
    SubjectAccessReview: (_, { metadata, spec }) => {
      refuse([...attributeFaults(spec), ...subjectFaults(spec), ...metadataFaults(metadata)]);
      return { metadata, spec, status: allowed(subjectOf(spec), spec) };
    },
  };
  const review =
    (kind: Kind): Review =>
    (call, { metadata = {}, spec = {} }) => {
      const answer = answers[kind.kind];
      if (!answer) throw notSimulated(`Objects of kind ${kind.kind}`);
      const manager = writeOptions('CreateOptions', call.url, call.request.headers['user-agent']).fieldManager;
      const sent = trackUpdate({ kind, live: undefined, updated: { metadata, spec }, manager, now: now() });
      return { kind: kind.kind, apiVersion: apiVersionOf(kind), ...answer(call, sent) };
    };
  return new Map(questions.map((kind) => [`${kind.group}/${kind.plural}`, review(kind)]));
}

/** As JSON of authentication.k8s.io/v1, UserInfo. */
const written = ({ name, uid, groups, extra }: UserInfo): Obj => ({
  username: name,
  ...(uid ? { uid } : {}),
  groups,
  ...(Object.keys(extra).length === 0 ? {} : { extra }),
});

function reviewToken({ token, audiences: asked = [] }: Obj, authenticateToken: AuthenticateToken): Obj {
  if (!token) throw badRequest('token is required for TokenReview in authentication');
  const answer = authenticateToken(token, asked.length === 0 ? [issuer] : asked);
  return 'error' in answer
    ? { user: {}, error: answer.error }
    : { authenticated: true, user: written(answer.user), audiences: answer.audiences };
}

/**
 * Whom a SubjectAccessReview asks about. They are in the groups that it names, and in no others.
 */
const subjectOf = ({ user = '', uid, groups = [], extra = {} }: Obj): UserInfo => ({ name: user, uid, groups, extra });

/** What an access review asks about, as a request for it would. */
function infoOf({ resourceAttributes, nonResourceAttributes }: Obj): RequestInfo {
  const nothing = { verb: '', path: '', group: '', version: '*', resource: '', subresource: '', namespace: '', name: '' };
  return { ...nothing, ...(resourceAttributes ?? nonResourceAttributes), isResource: Boolean(resourceAttributes) };
}

/**
 * `.authorization.k8s.io "" is invalid`: kube-apiserver has lost the kind's name when it says so.
 */
function refuse(faults: readonly Wrong[]): void {
  if (faults.length > 0) throw invalid({ group: 'authorization.k8s.io', kind: '' }, '', faults);
}

// k8s.io/kubernetes/pkg/apis/authorization/validation/validation.go, in its order.
function attributeFaults({ resourceAttributes, nonResourceAttributes }: Obj): Wrong[] {
  if (Boolean(resourceAttributes) !== Boolean(nonResourceAttributes)) return [];
  // With the names of Go's fields.
  const value = nonResourceAttributes ? { Path: nonResourceAttributes.path, Verb: nonResourceAttributes.verb } : null;
  return [wrong('spec', value, 'exactly one of nonResourceAttributes or resourceAttributes must be specified')];
}

const subjectFaults = ({ user = '', groups = [] }: Obj): Wrong[] =>
  user === '' && groups.length === 0 ? [wrong('spec.user', user, 'at least one of user or group must be specified')] : [];

const metadataFaults = (metadata: Obj): Wrong[] =>
  Object.keys(metadata).every((field) => field === 'managedFields') ? [] : [wrong('metadata', metadata, 'must be empty')];
