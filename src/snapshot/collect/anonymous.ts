import { type EndpointClient, endpointClient, type ReachedEndpoint } from '../../cluster/endpoint-request.ts';
import { certificateRequired } from '../../cluster/faults.ts';
import { serverNameOf } from '../../config/registration.ts';
import { trustedBy } from '../ca-bundle.ts';
import { type ApiServerSays, judgeEndpoints } from '../endpoint-evidence.ts';
import { seen, skipped } from '../observed.ts';
import type { ApiServiceView, ApiSnapshot, EndpointAnswerView, EndpointProbe, HttpView, Observed } from '../types.ts';
import type { Backend, ServiceRef } from './backend.ts';
import type { CollectContext } from './context.ts';
import { patientTimeoutMs, unseenAfter } from './observe.ts';
import { timed, viewAnswer } from './requests.ts';

/**
 * The headers with which kube-apiserver passes an administrator on. A server must not accept them
 * from other clients (k8s.io/apiserver/pkg/authentication/request/headerrequest).
 */
const administrator = { 'x-remote-user': 'system:admin', 'x-remote-group': 'system:masters' };

type Answers = Pick<ApiSnapshot, 'anonymous' | 'forged' | 'endpointAnswers'>;

/** An endpoint, and its name in the probes. */
type Asked = ReachedEndpoint & Pick<EndpointProbe, 'at'>;

/**
 * Requests discovery directly from every endpoint without identity, and from the first one with
 * forged X-Remote-* headers.
 * @throws the reason of the signal
 */
export async function requestAnonymously(context: CollectContext, api: ApiServiceView, backend: Backend, path: string): Promise<Answers> {
  const [first, ...others] = api.service ? reached(api, api.service, backend) : [];
  if (!first) {
    const nothing = skipped('no endpoint is reachable from here');
    return { anonymous: nothing, forged: nothing, endpointAnswers: nothing };
  }
  const several = others.length > 0;
  const [{ forged, ...answers }, ...more] = await Promise.all([
    connected(context, first, async (client) => {
      const { api: anonymous, ready } = await askBoth(context, client, path, several);
      return { anonymous, ready, forged: await forge(context, client, path, anonymous) };
    }),
    ...others.map((endpoint) => connected(context, endpoint, (client) => askBoth(context, client, path, several))),
  ]);
  const { anonymous, ready } = answers;
  const all = [{ api: anonymous, ready }, ...more];
  return {
    anonymous,
    forged,
    endpointAnswers: several
      ? { state: 'seen', value: [first, ...others].flatMap((endpoint, index) => viewOf(endpoint, all[index]) ?? []) }
      : skipped('only one endpoint is reachable'),
  };
}

/** Does not wait for a second time-out. */
function forge(context: CollectContext, client: EndpointClient, path: string, anonymous: Observed<HttpView>) {
  if (anonymous.state !== 'seen') return anonymous;
  return isSlow(anonymous) ? skipped('the server is slow') : ask(context, client, path, administrator);
}

const isSlow = (answer: Observed<HttpView>): boolean => seen(answer)?.slowMs !== undefined;

/** Opens a connection to an endpoint, and closes it after the work. */
const connected = <T>(context: CollectContext, endpoint: ReachedEndpoint, work: (client: EndpointClient) => Promise<T>): Promise<T> =>
  context.dials(async () => {
    const client = endpointClient(context.cluster, endpoint, context.signal);
    try {
      return await work(client);
    } finally {
      client.close();
    }
  });

type OwnAnswers = Pick<EndpointAnswerView, 'api' | 'ready'>;

/** @param several whether other endpoints exist, to compare the readiness with */
async function askBoth(context: CollectContext, client: EndpointClient, path: string, several: boolean): Promise<OwnAnswers> {
  const api = await ask(context, client, path);
  const ready =
    several && api.state === 'seen' && !isSlow(api) ? await ask(context, client, '/readyz') : skipped('nothing to compare it with');
  return { api, ready };
}

/** What is kept of an answer that is only compared: a few words of an error. */
const keptBytes = 300;
const shortened = (answer: Observed<HttpView>): Observed<HttpView> =>
  answer.state === 'seen'
    ? { ...answer, value: { ...answer.value, body: answer.value.status === 200 ? '' : answer.value.body.slice(0, keptBytes) } }
    : answer;

const viewOf = ({ at, pod }: Asked, answers: OwnAnswers | undefined): EndpointAnswerView | undefined =>
  answers && { at, pod, api: shortened(answers.api), ready: shortened(answers.ready) };

/** What kube-apiserver observes is not known yet. */
const says: ApiServerSays = { api: 'unknown', faults: [] };

/**
 * The endpoints whose handshake succeeded. From outside the cluster, another server may answer at
 * the address of a pod.
 */
function reached(api: ApiServiceView, service: ServiceRef, { probes, targets }: Backend): readonly Asked[] {
  const probed = seen(probes) ?? [];
  if (!probed.some(({ handshake }) => handshake.kind === 'served')) return [];
  const serverName = serverNameOf(service);
  const roots = trustedBy(api);
  const judged = judgeEndpoints(probed, { roots, hostname: serverName, now: new Date() }, says);
  return judged.flatMap(({ at, via, handshake }, index): Asked[] => {
    const target = targets[index];
    return target && handshake.kind === 'served' ? [{ ...target, at, via, namespace: service.namespace, serverName }] : [];
  });
}

async function ask(
  context: CollectContext,
  client: EndpointClient,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Observed<HttpView>> {
  const started = performance.now();
  try {
    const answer = viewAnswer(path, await client.get({ path, headers, timeoutMs: patientTimeoutMs }));
    return { state: 'seen', value: timed(answer, Math.round(performance.now() - started)) };
  } catch (error) {
    const nothing = unseenAfter(context, error, patientTimeoutMs);
    // The server is reachable, and refuses clients without a certificate.
    return nothing.state === 'unseen' && certificateRequired.test(nothing.words) ? skipped(nothing.words) : nothing;
  }
}
