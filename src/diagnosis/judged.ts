import { serverNameOf } from '../config/registration.ts';
import { inspectBundle } from '../snapshot/ca-bundle.ts';
import { judgeEndpoints } from '../snapshot/endpoint-evidence.ts';
import type { ApiServiceView, ApiSnapshot } from '../snapshot/types.ts';
import { apiServerMessages } from './api-server-messages.ts';
import { seen } from './checks/check.ts';
import { apiServerSays } from './checks/endpoints.ts';

/**
 * Judges the handshakes of an API: what the server serves, and where another server answered.
 * @param now the time of kube-apiserver
 */
export function judge(collected: ApiSnapshot, api: ApiServiceView, now: Date) {
  const host = api.service && serverNameOf(api.service);
  const bundle = inspectBundle(api);
  const roots = bundle.certificates;
  const messages = apiServerMessages(collected, api, now);
  // An API without a Service has no probes, and no host name to verify.
  const expected = { roots, hostname: host ?? '', now, any: api.insecureSkipTLSVerify };
  const probes = judgeEndpoints(seen(collected.probes) ?? [], expected, apiServerSays(collected, messages));
  return { host, bundle, roots, messages, probes };
}
