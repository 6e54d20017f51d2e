import { needOf } from '../../snapshot/api-resources.ts';
import type { ApiSnapshot, AsUserView } from '../../snapshot/types.ts';
import type { Observation } from '../types.ts';
import { type Check, type CheckContext, findMessage, observation, seen, works } from './check.ts';
import { failsToList, listFailure } from './list.ts';

/** The answers that the user of --as-user or --as gets. */
export const checkUser: Check = (context) => [
  ...checkRefusedUser(context.snapshot),
  ...checkAnswer(context, seen(context.snapshot.asUser)),
  ...checkList(context, seen(context.snapshot.listAsUser)),
];

/**
 * The refusals of RBAC. They are known without the APIService, which an ordinary user may not be
 * allowed to get.
 */
export const checkRefusedUser = ({ asUser, listAsUser }: ApiSnapshot): readonly Observation[] =>
  [seen(asUser), seen(listAsUser)].flatMap((answer) => (answer && isRefused(answer) ? [refusal(answer)] : []));

const isRefused = ({ status, allowed }: AsUserView): boolean => status === 403 && allowed === false;

function refusal(answer: AsUserView): Observation {
  const { user, path } = answer;
  const need = needOf(path);
  if (!need) return observation('auth/user-not-allowed', evidenceOf(answer), { user, path });
  const { plural, apiVersion } = need.ref.resource;
  const group = apiVersion.split('/')[0] ?? '';
  return observation('auth/list-not-allowed', evidenceOf(answer), { user, verb: need.verb, resource: plural, group });
}

const evidenceOf = ({ user, path, status, body }: AsUserView): string[] => [
  `GET ${path} as ${user}: ${status}`,
  ...(body ? [`body: ${body}`] : []),
];

function checkAnswer(context: CheckContext, answer: AsUserView | undefined): readonly Observation[] {
  if (!answer || answer.status < 400 || isRefused(answer)) return [];
  // If the API does not work at all, or the reason is known, the user needs no finding.
  if (!works(context) || findMessage(context, 'delegator-missing')) return [];
  // kube-apiserver or the server refused it: see `notCheckedOf`.
  if (isUnexplained(answer)) return [];
  const { status } = answer;
  const code = status === 401 || status === 403 ? 'auth/refused-by-server' : 'discovery/request-failed';
  return [observation(code, evidenceOf(answer), { status: String(status) })];
}

function checkList(context: CheckContext, answer: AsUserView | undefined): readonly Observation[] {
  if (!answer || isRefused(answer) || isUnexplained(answer)) return [];
  const { list, asUser } = context.snapshot;
  // One finding is enough: about the list of the current user, or about discovery as this user.
  const own = seen(list);
  const known = (own && failsToList(context, own)) || (seen(asUser)?.status ?? 0) >= 400;
  return known ? [] : listFailure(context, answer, evidenceOf(answer));
}

/**
 * Whether it is unknown who refused the user: kube-apiserver or the server. No SubjectAccessReview
 * was allowed.
 */
export const isUnexplained = ({ status, allowed }: AsUserView): boolean => status === 403 && allowed === undefined;
