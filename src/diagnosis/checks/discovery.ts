import type { HttpView } from '../../snapshot/types.ts';
import type { Code } from '../catalog.ts';
import type { GoFault } from '../go-words.ts';
import type { Observation } from '../types.ts';
import { availableMs, type Check, type CheckContext, observation, proxyAnswered, quote, seen, spokenOf } from './check.ts';

const codeOfWords: Partial<Record<GoFault, Code>> = {
  'not-authenticated': 'auth/proxy-not-trusted',
  'refused-by-server': 'auth/refused-by-server',
  'not-served': 'discovery/not-found',
  redirected: 'discovery/redirected',
  'server-error': 'discovery/server-error',
};

/** What the API answers through the whole path, as the person at the keyboard: the request that `kubectl get --raw /apis/<group>/<version>` makes. */
export const checkDiscovery: Check = (context) => {
  const answer = seen(context.snapshot.aggregated);
  if (!answer) return [];
  if (answer.status === 200) return [...checkDocument(context, answer), ...checkGroup(context), ...checkOpenApi(context)];
  // Says more than any status, and is a check of its own.
  if (spokenOf(context, 'delegator-missing')) return [];
  const raw = [`GET ${answer.path}: ${answer.status}`, ...(answer.body ? [`body: ${answer.body}`] : [])];
  // While the condition is False kube-apiserver answers 503 by itself, and what the server says is in the condition alone.
  const spoken = context.words.find(({ fault }) => fault && codeOfWords[fault]);
  const code = spoken?.fault && codeOfWords[spoken.fault];
  if (spoken && code) return [observation(code, [...new Set([...raw, quote(spoken)])], { status: statusIn(spoken.text) })];
  return [observation(codeOfStatus(answer.status), [...raw, ...proxyLine(context)], { status: String(answer.status) })];
};

const statusIn = (text: string): string => / (\d{3})\s*$/.exec(text.slice(-evidenceTail))?.[1] ?? 'an error';
const evidenceTail = 100;

const codeByStatus: Readonly<Record<number, Code>> = {
  401: 'auth/proxy-not-trusted',
  // Where kube-apiserver itself refuses the person, the snapshot has no answer at all.
  403: 'auth/refused-by-server',
  404: 'discovery/not-found',
};

const codeOfStatus = (status: number): Code =>
  status >= 300 && status < 400 ? 'discovery/redirected' : (codeByStatus[status] ?? 'discovery/request-failed');

/** The service proxy goes another way, which says where the fault is not. */
function proxyLine({ snapshot }: CheckContext): string[] {
  const answer = seen(snapshot.serviceProxy);
  return answer && proxyAnswered(snapshot)
    ? [`through the service proxy: ${answer.status}, so the fault is TLS or authentication and not the network`]
    : [];
}

function checkDocument({ api }: CheckContext, { body }: HttpView): readonly Observation[] {
  const document = parseResourceList(body);
  if (!document) return [observation('discovery/not-a-resource-list', [`body: ${body}`])];
  // The core group has no name.
  const expected = api.group === '' ? api.version : `${api.group}/${api.version}`;
  if (document.groupVersion !== expected) {
    return [observation('discovery/wrong-group-version', [`groupVersion: ${document.groupVersion}`], { served: document.groupVersion })];
  }
  return document.resources.length === 0 ? [observation('discovery/no-resources', [`body: ${body}`])] : [];
}

/** What kube-apiserver makes of the group (kube-aggregator pkg/apiserver/handler_apis.go). */
function checkGroup({ api, snapshot }: CheckContext): readonly Observation[] {
  const group = seen(snapshot.group);
  if (!group || api.group === '' || (group.status !== 200 && group.status !== 404)) return [];
  const versions = group.status === 200 ? parseVersions(group.body) : [];
  if (!versions || versions.includes(api.version)) return [];
  return [observation('discovery/not-in-group', [`GET ${group.path}: ${group.status}, versions: ${versions.join(', ') || 'none'}`])];
}

/** The versions of a metav1.APIGroup; undefined when it is none. */
function parseVersions(body: string): string[] | undefined {
  try {
    const { kind, versions } = JSON.parse(body);
    return kind === 'APIGroup' && Array.isArray(versions) ? versions.map((each) => String(each?.version)) : undefined;
  } catch {
    return undefined;
  }
}

/** kube-apiserver fetches the documents of a new API in the background, and tries again every minute (kube-aggregator pkg/controllers/openapiv3). */
const openApiDelayMs = 120_000;

function checkOpenApi(context: CheckContext): readonly Observation[] {
  const { api, snapshot } = context;
  const document = seen(snapshot.openApi);
  if (!api.service || document?.status !== 404 || !(availableMs(context) > openApiDelayMs)) return [];
  return [observation('discovery/openapi-missing', [`GET ${document.path}: 404`])];
}

/** A metav1.APIResourceList, as far as it is used here. */
export interface ResourceList {
  readonly groupVersion: string;
  readonly resources: readonly string[];
}

/** Reads a discovery document; undefined when it is none (k8s.io/apimachinery/pkg/apis/meta/v1/types.go, APIResourceList). */
export function parseResourceList(body: string): ResourceList | undefined {
  try {
    const { kind, groupVersion, resources } = JSON.parse(body);
    if (kind !== 'APIResourceList' || !Array.isArray(resources)) return undefined;
    return { groupVersion: String(groupVersion), resources: resources.map(({ name }) => String(name)) };
  } catch {
    return undefined;
  }
}
