import type { AnswerFault, HttpView } from '../../snapshot/types.ts';
import type { Observation } from '../types.ts';
import { type Check, type CheckContext, observation, seen } from './check.ts';
import { failedProbes } from './endpoints.ts';
import { observedEnd, seconds, whereRequestsEnd } from './request-end.ts';

/**
 * A request through kube-apiserver whose answer is slow or incomplete, while kube-apiserver itself
 * answers.
 */
export const checkAnswer: Check = (context) => {
  const { snapshot, api } = context;
  const { aggregated } = snapshot;
  if (!api.service) return [];
  const answer = seen(aggregated);
  // kube-apiserver itself answers 503 after it failed to connect.
  if (answer) return answer.slowMs === undefined || answer.status === 503 ? [] : [observation('discovery/slow', [slowLine(answer)])];
  if (aggregated.state !== 'unseen' || !aggregated.fault) return [];
  const kind = kindOf(aggregated.fault);
  const line = faultLine(`discovery request to ${api.group}/${api.version} through kube-apiserver`, aggregated.fault);
  if (kind === 'stalled') return [observation('discovery/stalled', [line])];
  if (kind === 'cut-off') return [observation('discovery/cut-off', [line])];
  // The failed handshakes say more.
  return failedProbes(context).length > 0 ? [] : [unanswered(context, line)];
};

/** What arrived of an answer, and when. */
export function faultLine(request: string, { kind, afterMs, received }: AnswerFault): string {
  if (kind === 'none') return `${request}: no response within ${seconds(afterMs)}`;
  const got = received ? `status ${received.status} and ${received.bytes} bytes, then ` : '';
  return `${request}: ${got}${kind === 'cut-off' ? `the connection was closed after ${seconds(afterMs)}` : `nothing more within ${seconds(afterMs)}`}`;
}

/**
 * kube-apiserver ends discovery requests after 5 seconds, also in the middle of an answer
 * (kube-aggregator pkg/apiserver/handler_proxy.go, aggregatedDiscoveryTimeout).
 */
const kindOf = ({ kind, afterMs }: AnswerFault): AnswerFault['kind'] => (kind === 'cut-off' && afterMs >= 5_000 ? 'stalled' : kind);

function unanswered(context: CheckContext, line: string): Observation {
  const end = whereRequestsEnd(context);
  const evidence = [line, ...observedEnd(context)];
  if (end === 'server') return observation('discovery/slow', evidence);
  if (end === 'unknown') return observation('discovery/no-answer', evidence);
  const endpoints = context.probes.flatMap(({ at, handshake }) => (handshake.kind === 'served' ? [at] : [])).join(', ');
  return observation('network/timeout', evidence, { endpoints });
}

export const slowLine = ({ path, status, slowMs = 0 }: HttpView): string => `GET ${path}: ${status} after ${seconds(slowMs)}`;
