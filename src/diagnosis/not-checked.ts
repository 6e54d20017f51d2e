import { dialTargets } from '../snapshot/targets.ts';
import type { ApiSnapshot, Observed } from '../snapshot/types.ts';
import { isUnexplained } from './checks/auth.ts';
import { type CheckContext, seen } from './checks/check.ts';
import { unreachedProbes } from './checks/endpoints.ts';
import { shortened } from './shortened.ts';
import type { NotChecked } from './types.ts';

const parts = [
  ['apiService', 'the APIService'],
  ['service', 'the Service'],
  ['endpoints', 'the EndpointSlices'],
  ['pods', 'the pods'],
  ['probes', 'the certificates that the endpoints serve'],
  ['aggregated', 'the API through the aggregator'],
  ['group', 'the versions of the group'],
  ['openApi', 'the OpenAPI document'],
  ['serviceProxy', 'the API through the service proxy'],
  ['asUser', 'what the user meets'],
  ['anonymous', 'a request without identity'],
  ['forged', 'a request with a forged identity'],
  ['server', 'what the server is given'],
  ['secret', 'the Secret with the serving certificate'],
  ['requestHeader', 'ConfigMap kube-system/extension-apiserver-authentication'],
  ['delegation', 'what the ServiceAccount of the server may do'],
  ['neighbours', 'the other APIServices'],
  ['customResources', 'CustomResourceDefinitions of the group'],
  ['listed', 'the list of all groups'],
] as const satisfies readonly (readonly [keyof ApiSnapshot, string])[];

/**
 * What could not be looked at, and why. What does not apply is not listed.
 * @param context undefined where the APIService itself was not seen
 */
export function notCheckedOf(snapshot: ApiSnapshot, context: CheckContext | undefined): readonly NotChecked[] {
  const missing = parts.flatMap(([part, what]) => missed(what, snapshot[part]));
  const probes = context ? unreachedProbes(context) : [];
  const reasons = probes.map(({ at, words }) => `${at}: ${words}`).join(', ');
  const unreached = { what: 'the certificates that the endpoints serve', why: shortened(`can't be reached from here (${reasons})`) };
  const passedOver = context?.source === 'cluster' ? endpointsPassedOver(context) : 0;
  const more = { what: `${passedOver} more endpoints`, why: 'of each Service only the first are looked at' };
  return [
    ...missing,
    ...unknownOfUser(snapshot),
    ...unseenOfPods(snapshot),
    ...(probes.length > 0 ? [unreached] : []),
    ...(passedOver > 0 ? [more] : []),
  ];
}

/** How many ready endpoints were not dialled. */
function endpointsPassedOver({ snapshot, api, probes }: CheckContext): number {
  const [service, endpoints] = [seen(snapshot.service), seen(snapshot.endpoints)];
  if (!service || !endpoints || !api.service || probes.length === 0) return 0;
  return Math.max(dialTargets(service, endpoints, api.service.port).length - probes.length, 0);
}

/** Whether it is RBAC or the server that refuses the user. */
function unknownOfUser({ asUser }: ApiSnapshot): readonly NotChecked[] {
  const answer = seen(asUser);
  if (!answer || !isUnexplained(answer)) return [];
  const why = `GET ${answer.path} as ${answer.user}: 403, and no SubjectAccessReview was answered`;
  return [{ what: `whether RBAC lets ${shortened(answer.user)} in`, why: shortened(why) }];
}

/** What could not be seen of pods in trouble; the same right is missing for all of them. */
function unseenOfPods({ pods }: ApiSnapshot): readonly NotChecked[] {
  const closer = seen(pods) ?? [];
  const [events] = closer.flatMap((pod) => missed('the events of the pods', pod.events));
  const [log] = closer.flatMap((pod) => missed('the log of the container that crashes', pod.lastLogLine));
  return [...(events ? [events] : []), ...(log ? [log] : [])];
}

const missed = (what: string, observed: Observed<unknown>): NotChecked[] =>
  observed.state === 'unseen' && observed.reason !== 'skipped' ? [{ what, why: shortened(observed.words) }] : [];
