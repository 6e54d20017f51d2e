import { skipped } from '../observed.ts';
import type { ApiSnapshot, HttpView, Observed, RepeatedAnswerView } from '../types.ts';
import type { CollectContext } from './context.ts';
import { backendTimeoutMs, unseenAfter } from './observe.ts';
import { viewAnswer } from './requests.ts';

/** The most requests to one API. */
const requestLimit = 12;
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
 * Sends the same GET several times. With --enable-aggregator-routing, kube-apiserver chooses an
 * endpoint for each of them. Without it, all may use one connection to one endpoint
 * (k8s.io/apiserver/pkg/util/proxy/proxy.go, ResolveEndpoint and ResolveCluster).
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
    const answer = await cluster.request({ path, signal, timeoutMs: backendTimeoutMs, keepBytes });
    return { state: 'seen', value: viewAnswer(path, answer.status === 200 ? { ...answer, body: '' } : answer, keepBytes) };
  } catch (error) {
    return unseenAfter(context, error);
  }
}
