import { isMetricsGroup, parseResourceList } from '../../snapshot/api-resources.ts';
import type { HttpView } from '../../snapshot/types.ts';
import type { Code } from '../catalog.ts';
import type { GoFault } from '../go-errors.ts';
import type { Observation } from '../types.ts';
import { availableMs, type Check, type CheckContext, findMessage, observation, proxyAnswered, quote, seen } from './check.ts';

const codeOfFault: Partial<Record<GoFault, Code>> = {
  'not-authenticated': 'auth/proxy-not-trusted',
  'refused-by-server': 'auth/refused-by-server',
  'not-served': 'discovery/not-found',
  redirected: 'discovery/redirected',
  'server-error': 'discovery/server-error',
};

/** The answer of the API to the current user, as to `kubectl get --raw /apis/<group>/<version>`. */
export const checkDiscovery: Check = (context) => {
  const answer = seen(context.snapshot.aggregated);
  if (!answer) return [];
  if (answer.status === 200) return [...checkDocument(context, answer), ...checkGroup(context), ...checkOpenApi(context)];
  // It has its own check, which says more than the status.
  if (findMessage(context, 'delegator-missing')) return [];
  const raw = [`GET ${answer.path}: ${answer.status}`, ...(answer.body ? [`body: ${answer.body}`] : [])];
  // While the condition is False, kube-apiserver itself answers 503, and only the condition has the
  // answer of the server.
  const message = context.messages.find(({ fault }) => fault && codeOfFault[fault]);
  const code = message?.fault && codeOfFault[message.fault];
  if (message && code) return [observation(code, [...new Set([...raw, quote(message)])], { status: statusIn(message.text) })];
  return [observation(codeOfStatus(answer.status), [...raw, ...proxyLine(context)], { status: String(answer.status) })];
};

const statusIn = (text: string): string => / (\d{3})\s*$/.exec(text.slice(-evidenceTail))?.[1] ?? 'status unknown';
const evidenceTail = 100;

/**
 * Refusals of the server. If kube-apiserver itself refuses the request, the snapshot has no answer.
 */
export const codeOfRefusal: Readonly<Record<number, Code>> = { 401: 'auth/proxy-not-trusted', 403: 'auth/refused-by-server' };

const codeByStatus: Readonly<Record<number, Code>> = {
  ...codeOfRefusal,
  404: 'discovery/not-found',
};

const codeOfStatus = (status: number): Code =>
  status >= 300 && status < 400 ? 'discovery/redirected' : (codeByStatus[status] ?? 'discovery/request-failed');

/** An answer through the service proxy excludes the network. */
function proxyLine({ snapshot }: CheckContext): string[] {
  const answer = seen(snapshot.serviceProxy);
  return answer && proxyAnswered(snapshot)
    ? [`request through the service proxy: ${answer.status}, so the problem is TLS or authentication, not the network`]
    : [];
}

function checkDocument(context: CheckContext, { body }: HttpView): readonly Observation[] {
  const { api } = context;
  const document = parseResourceList(body);
  if (!document) return [observation('discovery/not-a-resource-list', [`body: ${body}`])];
  // The core group has no name.
  const expected = api.group === '' ? api.version : `${api.group}/${api.version}`;
  if (document.groupVersion !== expected) {
    return [observation('discovery/wrong-group-version', [`groupVersion: ${document.groupVersion}`], { served: document.groupVersion })];
  }
  return document.resources.length === 0 ? [withoutResources(context, body)] : [];
}

/** An adapter lists the metrics that exist now. Other servers always have resources. */
function withoutResources({ api, snapshot }: CheckContext, body: string): Observation {
  if (!isMetricsGroup(api.group)) return observation('discovery/no-resources', [`body: ${body}`]);
  // The same for all versions.
  return observation('discovery/no-metrics', ['resources: none', ...(seen(snapshot.serverLog) ?? []).map((line) => `log: ${line}`)]);
}

/**
 * How kube-apiserver lists the versions of the group (kube-aggregator
 * pkg/apiserver/handler_apis.go).
 */
function checkGroup({ api, snapshot }: CheckContext): readonly Observation[] {
  const group = seen(snapshot.group);
  if (!group || api.group === '' || (group.status !== 200 && group.status !== 404)) return [];
  const versions = group.status === 200 ? parseVersions(group.body) : [];
  if (!versions || versions.includes(api.version)) return [];
  return [observation('discovery/not-in-group', [`GET ${group.path}: ${group.status}, versions: ${versions.join(', ') || 'none'}`])];
}

/** The versions of a metav1.APIGroup. Undefined for anything else. */
function parseVersions(body: string): string[] | undefined {
  try {
    const { kind, versions } = JSON.parse(body);
    return kind === 'APIGroup' && Array.isArray(versions) ? versions.map((each) => String(each?.version)) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * kube-apiserver fetches the OpenAPI documents in the background every minute (kube-aggregator
 * pkg/controllers/openapiv3).
 */
const openApiDelayMs = 120_000;

function checkOpenApi(context: CheckContext): readonly Observation[] {
  const { api, snapshot } = context;
  const document = seen(snapshot.openApi);
  if (!api.service || document?.status !== 404 || !(availableMs(context) > openApiDelayMs)) return [];
  return [observation('discovery/openapi-missing', [`GET ${document.path}: 404`])];
}
