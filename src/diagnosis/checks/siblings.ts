import { counted } from '../../config/counted.ts';
import type { ApiSnapshot, EndpointAnswerView, HttpView, Observed } from '../../snapshot/types.ts';
import type { Severity } from '../catalog/entry.ts';
import { type Check, isOwnAnswer, observation, seen } from './check.ts';

/**
 * Endpoints that answer the same request differently. kube-apiserver keeps its connections to some
 * of them, so that one bad pod may stay unnoticed for a long time.
 */
export const checkSiblings: Check = ({ snapshot, api }) => {
  const { service } = api;
  if (!service) return [];
  const direct = compareAnswers(seen(snapshot.endpointAnswers) ?? []);
  const unready = compareReadiness(seen(snapshot.endpointAnswers) ?? []);
  const repeated = compareRepeated(snapshot);
  const found = direct ?? unready;
  if (!found && !repeated) return [];
  const endpoints = [...new Set([...(direct?.odd ?? []), ...(unready?.odd ?? [])])].map(({ at }) => at).join(', ');
  const answers = found ?? repeated;
  const selector = Object.entries(seen(snapshot.service)?.selector ?? {}).map((label) => label.join('='));
  const args = {
    endpoints: endpoints || 'some endpoints',
    answer: answers?.answer ?? '',
    usual: answers?.usual ?? '',
    selector: selector.join(','),
  };
  const severity: Severity = [direct, repeated].some((each) => each?.severity === 'error') ? 'error' : 'warning';
  const evidence = [direct, unready, repeated].flatMap((each) => each?.evidence ?? []);
  return [{ ...observation('endpoints/answers-differ', evidence, args), severity }];
};

interface Difference {
  readonly answer: string;
  readonly usual: string;
  readonly severity: Severity;
  readonly evidence: readonly string[];
}

interface OddEndpoints extends Difference {
  readonly odd: readonly EndpointAnswerView[];
}

/**
 * How good an answer to an anonymous request is. A server may refuse the request (1); 404, errors
 * and silence are faults. Undefined if it tells nothing, for example because the connection ended.
 * Snapshots saved by earlier versions say `no answer in`.
 */
function rankOf(answer: Observed<HttpView>): number | undefined {
  if (answer.state === 'unseen' && answer.reason === 'unreachable' && /^no (?:complete )?(?:answer in|response within)/.test(answer.words))
    return 4;
  const status = seen(answer)?.status;
  if (status === undefined) return undefined;
  if (status < 300) return 0;
  if (status === 401 || status === 403) return 1;
  return status < 500 ? 2 : 3;
}

const answerText = (answer: Observed<HttpView>): string =>
  answer.state === 'seen' ? String(answer.value.status) : answer.state === 'unseen' ? answer.words : 'none';

/** Compares the answers of the API without credentials. */
function compareAnswers(endpoints: readonly EndpointAnswerView[]): OddEndpoints | undefined {
  const known = endpoints.flatMap((endpoint) => {
    const rank = rankOf(endpoint.api);
    return rank === undefined ? [] : [{ endpoint, rank, text: answerText(endpoint.api) }];
  });
  const best = Math.min(...known.map(({ rank }) => rank));
  const faulty = known.filter(({ rank }) => rank > 1);
  // Without a good answer, the whole API has a fault, with its own finding.
  if (known.length < 2 || best > 1) return undefined;
  const usual = mostFrequent(known.filter(({ rank }) => rank <= 1).map(({ text }) => text));
  const odd = faulty.length > 0 ? faulty : known.filter(({ text }) => text !== usual);
  const [first] = odd;
  if (!first) return undefined;
  const path = known.flatMap(({ endpoint }) => seen(endpoint.api)?.path ?? [])[0];
  return {
    odd: odd.map(({ endpoint }) => endpoint),
    severity: faulty.length > 0 ? 'error' : 'warning',
    answer: unique(odd.map(({ text }) => text)),
    usual,
    evidence: [
      `GET ${path} without credentials: ${usual} from ${counted(known.length - odd.length, 'endpoint')}`,
      ...odd.flatMap(({ endpoint, text }) => [`${endpoint.at}: ${text}`, ...bodyOf(endpoint.api)]),
    ],
  };
}

/** Compares GET /readyz, which not every server has. */
function compareReadiness(endpoints: readonly EndpointAnswerView[]): OddEndpoints | undefined {
  const statusOf = ({ ready }: EndpointAnswerView): number => seen(ready)?.status ?? 0;
  const odd = endpoints.filter((each) => statusOf(each) >= 500);
  const ready = endpoints.filter((each) => statusOf(each) === 200);
  if (odd.length === 0 || ready.length === 0) return undefined;
  return {
    odd,
    severity: 'warning',
    answer: unique(odd.map((each) => String(statusOf(each)))),
    usual: '200',
    evidence: [
      `GET /readyz: 200 from ${counted(ready.length, 'endpoint')}`,
      ...odd.flatMap((each) => [`${each.at}: ${statusOf(each)}`, ...bodyOf(each.ready)]),
    ],
  };
}

/**
 * Compares equal requests through kube-apiserver. Its own errors are about a connection. A bad
 * response that comes only once may be an accident, and is a warning.
 */
function compareRepeated({ repeated, aggregated }: ApiSnapshot): Difference | undefined {
  const answers = (seen(repeated) ?? []).flatMap(({ count, answer }) => {
    const view = seen(answer);
    return view && view.status !== 429 && !isOwnAnswer(view) ? [{ count, view }] : [];
  });
  const bad = answers.filter(({ view }) => view.status >= 300);
  const good = answers.find(({ view }) => view.status < 300);
  if (!good || bad.length === 0) return undefined;
  const isRepeated = bad.some(({ count, view }) => count > 1 || view.status === seen(aggregated)?.status);
  return {
    answer: unique(bad.map(({ view }) => String(view.status))),
    usual: String(good.view.status),
    severity: isRepeated ? 'error' : 'warning',
    evidence: [
      `GET ${good.view.path} through kube-apiserver: ${answers.map(({ count, view }) => `${view.status} (${counted(count, 'time')})`).join(', ')}`,
      ...bad.flatMap(({ view }) => bodyOf({ state: 'seen', value: view })),
    ],
  };
}

const bodyOf = (answer: Observed<HttpView>): string[] => {
  const body = seen(answer)?.body;
  return body ? [`body: ${body}`] : [];
};

const unique = (texts: readonly string[]): string => [...new Set(texts)].join(', ');

/** The most frequent text; of equally frequent ones, the first in order. */
function mostFrequent(texts: readonly string[]): string {
  const count = (text: string): number => texts.filter((each) => each === text).length;
  return texts.toSorted((one, other) => count(other) - count(one) || (one < other ? -1 : 1))[0] ?? '';
}
