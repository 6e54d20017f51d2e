import { needOf } from '../../snapshot/api-resources.ts';
import type { AnswerFault, HttpView } from '../../snapshot/types.ts';
import type { Code } from '../catalog.ts';
import type { Observation } from '../types.ts';
import { faultLine, slowLine } from './answer.ts';
import { type Check, type CheckContext, observation, seen, works } from './check.ts';
import { codeOfRefusal } from './discovery.ts';

/** The answer to a list request, which may fail although discovery works. */
export const checkList: Check = (context) => {
  const { snapshot, api } = context;
  const { list } = snapshot;
  if (list.state === 'unseen' && list.fault) {
    const line = faultLine(`list request to ${api.group}/${api.version} through kube-apiserver`, list.fault);
    return [observation(codeOfFault[list.fault.kind], [line])];
  }
  const answer = seen(list);
  if (!answer) return [];
  const { path, status, body } = answer;
  const failure = listFailure(context, answer, [`GET ${path}: ${status}`, ...(body ? [`body: ${body}`] : [])]);
  // If discovery is slow too, it has the finding.
  const slow = answer.slowMs !== undefined && failure.length === 0 && seen(snapshot.aggregated)?.slowMs === undefined;
  return slow ? [observation('discovery/slow', [slowLine(answer)])] : failure;
};

/** Discovery got an answer, so the network works. */
const codeOfFault = {
  none: 'discovery/slow',
  stalled: 'discovery/stalled',
  'cut-off': 'discovery/cut-off',
} as const satisfies Record<AnswerFault['kind'], Code>;

/**
 * Only refusals and errors are faults of a list that apisvc chose: a server may answer 404 or 400,
 * because it supports only some requests. The path of --probe must work.
 */
export function listFailure(context: CheckContext, answer: HttpView, evidence: readonly string[]): readonly Observation[] {
  const { path, status } = answer;
  const refused = codeOfRefusal[status];
  // A server that also refuses discovery has that finding already.
  if (refused) return works(context) ? [observation(refused, evidence, { status: String(status) })] : [];
  if (!failsToList(context, answer)) return [];
  if (!isServerError(answer)) return [observation('discovery/probe-failed', evidence, { status: String(status), path })];
  const { plural = 'objects' } = needOf(path)?.ref.resource ?? {};
  return [observation('discovery/list-failed', evidence, { status: String(status), resource: plural, path })];
}

export const failsToList = ({ snapshot }: CheckContext, answer: HttpView): boolean =>
  isServerError(answer) || (snapshot.probed === true && answer.status >= 300);

const isServerError = ({ status }: HttpView): boolean => status >= 500 || status === 429;
