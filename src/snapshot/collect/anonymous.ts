import { type EndpointClient, endpointClient, type ReachedEndpoint } from '../../cluster/endpoint-request.ts';
import { certificateRequired } from '../../cluster/faults.ts';
import { serverNameOf } from '../../config/registration.ts';
import { trustedBy } from '../ca-bundle.ts';
import { type ApiServerSays, judgeEndpoints } from '../endpoint-evidence.ts';
import { seen, skipped } from '../observed.ts';
import type { ApiServiceView, ApiSnapshot, HttpView, Observed } from '../types.ts';
import type { Backend, ServiceRef } from './backend.ts';
import type { CollectContext } from './context.ts';
import { availabilityTimeoutMs, patientTimeoutMs, unseenAfter } from './observe.ts';
import { viewAnswer } from './requests.ts';

/**
 * The headers with which kube-apiserver passes an administrator on. A server must not accept them
 * from other clients (k8s.io/apiserver/pkg/authentication/request/headerrequest).
 */
const administrator = { 'x-remote-user': 'system:admin', 'x-remote-group': 'system:masters' };

type Answers = Pick<ApiSnapshot, 'anonymous' | 'forged'>;

/**
 * Requests discovery from one endpoint directly: without identity, and with forged X-Remote-*
 * headers.
 * @throws the reason of the signal
 */
export async function requestAnonymously(context: CollectContext, api: ApiServiceView, backend: Backend, path: string): Promise<Answers> {
  const endpoint = api.service && reached(api, api.service, backend);
  if (!endpoint) {
    const nothing = skipped('no endpoint is reachable from here');
    return { anonymous: nothing, forged: nothing };
  }
  return context.dials(async () => {
    const client = endpointClient(context.cluster, endpoint, context.signal);
    try {
      const anonymous = await ask(context, client, path);
      // Do not wait for a second time-out.
      if (anonymous.state !== 'seen') return { anonymous, forged: anonymous };
      if (anonymous.value.slowMs !== undefined) return { anonymous, forged: skipped('the server is slow') };
      return { anonymous, forged: await ask(context, client, path, administrator) };
    } finally {
      client.close();
    }
  });
}

/** What kube-apiserver observes is not known yet. */
const says: ApiServerSays = { api: 'unknown', faults: [] };

/**
 * An endpoint whose handshake succeeded. From outside the cluster, another server may answer at the
 * address of a pod.
 */
function reached(api: ApiServiceView, service: ServiceRef, { probes, targets }: Backend): ReachedEndpoint | undefined {
  const serverName = serverNameOf(service);
  const roots = trustedBy(api);
  const judged = judgeEndpoints(seen(probes) ?? [], { roots, hostname: serverName, now: new Date() }, says);
  const found = judged.findIndex(({ handshake }) => handshake.kind === 'served');
  const [probe, target] = [judged[found], targets[found]];
  return probe && target && { ...target, namespace: service.namespace, serverName, via: probe.via };
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
    const slowMs = Math.round(performance.now() - started);
    return { state: 'seen', value: { ...answer, ...(slowMs > availabilityTimeoutMs ? { slowMs } : {}) } };
  } catch (error) {
    const nothing = unseenAfter(context, error, patientTimeoutMs);
    // The server is reachable, and refuses clients without a certificate.
    return nothing.state === 'unseen' && certificateRequired.test(nothing.words) ? skipped(nothing.words) : nothing;
  }
}
