import { counted } from '../config/counted.ts';
import { parseResourceList } from '../snapshot/api-resources.ts';
import type { ApiSnapshot, EndpointProbe, RepeatedAnswerView } from '../snapshot/types.ts';
import { rotationFact } from './checks/rotation.ts';
import { daysBetween } from './days.ts';
import type { Overview } from './types.ts';

/** The facts that a verdict is based on, one line each, in the order of the request path. */
export function factsOf({ apiService, service, endpoints, probes, rotation, ...answers }: ApiSnapshot, now: Date): readonly string[] {
  const facts: string[] = [];
  if (apiService.state === 'seen') {
    const { service: target, available } = apiService.value;
    facts.push(
      target ? `points at Service ${target.namespace}/${target.name} port ${target.port}` : 'Local: served by kube-apiserver itself',
    );
    if (available) facts.push(`Available=${available.status} (${available.reason}) since ${available.lastTransitionTime}`);
  }
  if (service.state === 'seen' && endpoints.state === 'seen' && service.value.type !== 'ExternalName') {
    const ready = endpoints.value.filter((endpoint) => endpoint.ready).length;
    facts.push(`${ready} of ${endpoints.value.length} endpoints ready`);
  }
  if (probes.state === 'seen') facts.push(...probes.value.flatMap((probe) => servedFact(probe, now)));
  if (rotation?.state === 'seen') facts.push(rotationFact(rotation.value));
  return [...facts, ...answerFacts(answers)];
}

type Answers = Pick<ApiSnapshot, 'aggregated' | 'repeated' | 'list' | 'asUser' | 'listAsUser'>;

/** The answers through kube-apiserver: to the current user, and one to the user of --as-user. */
function answerFacts({ aggregated, repeated, list, asUser, listAsUser }: Answers): string[] {
  const facts: string[] = [];
  if (aggregated.state === 'seen') {
    const { path, status, body } = aggregated.value;
    const resources = parseResourceList(body)?.resources;
    facts.push(`GET ${path}: ${status}${resources ? `, resources: ${resources.join(', ') || 'none'}` : ''}`);
  }
  if (repeated.state === 'seen') facts.push(repeatedFact(repeated.value));
  if (list.state === 'seen') facts.push(`GET ${list.value.path}: ${list.value.status}`);
  const user = listAsUser.state === 'seen' ? listAsUser : asUser;
  if (user.state === 'seen') facts.push(`GET ${user.value.path} as ${user.value.user}: ${user.value.status}`);
  return facts;
}

/** A healthy verdict must not claim that every endpoint gave one of these answers. */
function repeatedFact(answers: readonly RepeatedAnswerView[]): string {
  const textOf = ({ answer }: RepeatedAnswerView): string | number => (answer.state === 'seen' ? answer.value.status : 'no response');
  const total = answers.reduce((sum, { count }) => sum + count, 0);
  const texts = answers.length === 1 ? answers.map(textOf) : answers.map((each) => `${textOf(each)} (${counted(each.count, 'time')})`);
  return `the same request ${counted(total, 'more time')}, possibly all to the same endpoint: ${texts.join(', ')}`;
}

function servedFact({ at, handshake }: EndpointProbe, now: Date): string[] {
  if (handshake.kind === 'failed') return [];
  const [leaf] = handshake.certificates;
  if (!leaf) return [`${at} serves no certificate`];
  return [`${at} serves ${leaf.subject || leaf.dnsNames[0] || 'a certificate without a name'}, ${validity(leaf.notAfter, now)}`];
}

/** `valid until 2026-07-15 (30 days)` or `expired on 2019-02-19 (2,839 days ago)` */
function validity(notAfter: string, now: Date): string {
  const days = daysBetween(now, new Date(notAfter));
  const count = counted(Math.abs(days), 'day');
  const date = notAfter.slice(0, 10);
  return Date.parse(notAfter) < now.getTime() ? `expired on ${date} (${count} ago)` : `valid until ${date} (${count})`;
}

/** The facts for one row of a table. */
export function overviewOf({ apiService, endpoints, probes }: ApiSnapshot): Overview {
  const api = apiService.state === 'seen' ? apiService.value : undefined;
  const found = endpoints.state === 'seen' ? endpoints.value : undefined;
  const ends = (probes.state === 'seen' ? probes.value : []).flatMap(({ handshake }) =>
    handshake.kind === 'served' ? handshake.certificates.slice(0, 1).map(({ notAfter }) => notAfter) : [],
  );
  return {
    service: api?.service && `${api.service.namespace}/${api.service.name}:${api.service.port}`,
    available: api?.available?.status,
    endpoints: found && { ready: found.filter(({ ready }) => ready).length, total: found.length },
    // ISO 8601 in UTC sorts by time.
    expires: ends.sort()[0],
  };
}
