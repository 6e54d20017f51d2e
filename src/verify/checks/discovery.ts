import type { Code } from '../catalog.ts';
import type { GoFault } from '../go-words.ts';
import type { HttpView, Observation } from '../types.ts';
import { type Check, type CheckContext, observation, quote, seen } from './check.ts';

const codeOfWords: Partial<Record<GoFault, Code>> = {
  'delegator-missing': 'auth/delegator-missing',
  'not-authenticated': 'auth/proxy-not-trusted',
  'refused-by-server': 'auth/refused-by-server',
  'not-served': 'discovery/not-found',
};

/** What the API answers through the whole path, as the person at the keyboard: the request that `kubectl get --raw /apis/<group>/<version>` makes. */
export const checkDiscovery: Check = (context) => {
  const answer = seen(context.snapshot.aggregated);
  if (!answer) return [];
  if (answer.status === 200) return checkDocument(context, answer);
  const raw = [`GET ${answer.path}: ${answer.status}`, ...(answer.body ? [`body: ${answer.body}`] : [])];
  // While the condition is False kube-apiserver answers 503 by itself, and what the server says is in the condition alone.
  const spoken = context.words.find(({ fault }) => fault && codeOfWords[fault]);
  const code = spoken?.fault && codeOfWords[spoken.fault];
  if (spoken && code) return [observation(code, [...new Set([...raw, quote(spoken)])])];
  switch (answer.status) {
    case 401:
      return [observation('auth/proxy-not-trusted', raw)];
    case 403:
      // Where kube-apiserver itself refuses the person, the snapshot has no answer at all.
      return [observation('auth/refused-by-server', raw)];
    case 404:
      return [observation('discovery/not-found', raw)];
    default:
      return [observation('discovery/request-failed', raw, { status: String(answer.status) })];
  }
};

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
