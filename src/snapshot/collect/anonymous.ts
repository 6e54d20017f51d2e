import { type EndpointClient, endpointClient, type ReachedEndpoint } from '../../cluster/endpoint-request.ts';
import { certificateRequired } from '../../cluster/faults.ts';
import { serverNameOf } from '../../config/registration.ts';
import { trustedBy } from '../ca-bundle.ts';
import { type ApiServerSays, judgeEndpoints } from '../endpoint-evidence.ts';
import type { ApiServiceView, ApiSnapshot, HttpView, Observed } from '../types.ts';
import type { Backend, ServiceRef } from './backend.ts';
import { type Looking, patienceMs, skipped, unanswered } from './looking.ts';
import { viewAnswer } from './requests.ts';

/** What the front proxy of kube-apiserver says of an administrator; from anybody else a server must not believe it (k8s.io/apiserver/pkg/authentication/request/headerrequest). */
const administrator = { 'x-remote-user': 'system:admin', 'x-remote-group': 'system:masters' };

type Answers = Pick<ApiSnapshot, 'anonymous' | 'forged'>;

/** Asks one endpoint, past kube-apiserver, for the discovery document: as nobody, and with the headers of the front proxy. @throws the signal's reason */
export async function askAsStranger(looking: Looking, api: ApiServiceView, backend: Backend, path: string): Promise<Answers> {
  const endpoint = api.service && reached(api, api.service, backend);
  if (!endpoint) {
    const nothing = skipped('no endpoint was reached from here');
    return { anonymous: nothing, forged: nothing };
  }
  return looking.dials(async () => {
    const client = endpointClient(looking.cluster, endpoint, looking.signal);
    try {
      const anonymous = await ask(looking, client, path);
      // Who kept us waiting once is not waited for again.
      if (anonymous.state !== 'seen') return { anonymous, forged: anonymous };
      return { anonymous, forged: await ask(looking, client, path, administrator) };
    } finally {
      client.close();
    }
  });
}

/** Nothing is known yet of what kube-apiserver says. */
const says: ApiServerSays = { api: 'unknown', faults: [] };

/** An endpoint whose handshake succeeded. At the address of a pod somebody else may answer from here, who has nothing to do with this. */
function reached(api: ApiServiceView, service: ServiceRef, { probes, targets }: Backend): ReachedEndpoint | undefined {
  const serverName = serverNameOf(service);
  const roots = trustedBy(api);
  const judged = judgeEndpoints(probes.state === 'seen' ? probes.value : [], { roots, hostname: serverName, now: new Date() }, says);
  const found = judged.findIndex(({ handshake }) => handshake.kind === 'served');
  const [probe, target] = [judged[found], targets[found]];
  return probe && target && { ...target, namespace: service.namespace, serverName, via: probe.via };
}

async function ask(
  looking: Looking,
  client: EndpointClient,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Observed<HttpView>> {
  try {
    return { state: 'seen', value: viewAnswer(path, await client.get({ path, headers, timeoutMs: patienceMs })) };
  } catch (error) {
    const nothing = unanswered(looking, error);
    // Not an obstacle, but a refusal.
    return nothing.state === 'unseen' && certificateRequired.test(nothing.words) ? skipped(nothing.words) : nothing;
  }
}
