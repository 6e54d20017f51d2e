import type { Answer } from '../../cluster/answer.ts';
import { skipped } from '../observed.ts';
import type { ApiSnapshot, HttpView, Observed, RepeatedAnswerView } from '../types.ts';
import type { CollectContext } from './context.ts';
import { backendTimeoutMs, unseenAfter } from './observe.ts';
import { viewAnswer } from './requests.ts';

/** The most requests to one API. */
const requestLimit = 32;
/** A few words of an error. */
const keepBytes = 300;

export interface RepeatedRequest {
  readonly path: string;
  /** How many endpoints may answer. */
  readonly endpoints: number;
  /** Requests for each endpoint. */
  readonly each: number;
}

/**
 * Sends the same GET several times, each on another connection of kube-apiserver to the server.
 * Otherwise kube-apiserver keeps its connections, perhaps to the same endpoint for days.
 * @throws the reason of the signal
 */
export async function requestRepeatedly(context: CollectContext, request: RepeatedRequest): Promise<ApiSnapshot['repeated']> {
  const { path, endpoints, each } = request;
  if (endpoints < 2) return skipped('the Service does not have several endpoints');
  const count = Math.min(endpoints * each, requestLimit);
  const answers = await Promise.all(Array.from({ length: count }, () => ask(context, path)));
  return { state: 'seen', value: counted(answers) };
}

/** Equal answers together, with their number. */
function counted(answers: readonly Observed<HttpView>[]): readonly RepeatedAnswerView[] {
  const counts = new Map<string, RepeatedAnswerView>();
  for (const answer of answers) {
    const same = counts.get(keyOf(answer));
    counts.set(keyOf(answer), { answer, ...same, count: (same?.count ?? 0) + 1 });
  }
  return [...counts.values()];
}

const keyOf = (answer: Observed<HttpView>): string =>
  answer.state === 'seen' ? String(answer.value.status) : answer.state === 'unseen' ? answer.words : '';

async function ask(context: CollectContext, path: string): Promise<Observed<HttpView>> {
  const { cluster, signal } = context;
  try {
    const answer = await cluster.request({ path, accept, upgrade: true, signal, timeoutMs: backendTimeoutMs, keepBytes });
    const status = statusOfServer(answer);
    return { state: 'seen', value: status === 200 ? { path, status, body: '' } : viewAnswer(path, { ...answer, status }, keepBytes) };
  } catch (error) {
    return unseenAfter(context, error);
  }
}

/**
 * A media type that no server has. A server built with k8s.io/apiserver answers 406, after
 * authentication and authorization. kube-apiserver passes errors on, but logs other answers as
 * failed upgrades.
 */
const accept = 'application/vnd.apisvc.none';

/** The status with which the server answers, as if the request were an ordinary one. */
function statusOfServer({ status, body }: Answer): number {
  const [, given] = /^invalid upgrade response: status code (\d{3})/.exec(body) ?? [];
  const own = given === undefined ? status : Number(given);
  return own === 406 || (own >= 200 && own < 300) ? 200 : own;
}
