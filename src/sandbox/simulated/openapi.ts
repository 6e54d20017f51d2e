import { sendJson } from '../shared/answer.ts';
import { notServed } from '../shared/failure.ts';
import type { RemoteDiscovery } from './aggregated-discovery.ts';
import { kinds } from './kinds.ts';
import type { Call, Kind, Obj } from './types.ts';

/**
 * OpenAPI v3 documents from which kubectl learns that PATCH supports dryRun and fieldValidation
 * (k8s.io/cli-runtime/pkg/resource/query_param_verifier_v3.go). They describe no fields of objects.
 */
const documents: ReadonlyMap<string, Obj> = new Map(
  [...new Set(kinds.map(pathOf))].map((path) => [path, documentOf(kinds.filter((kind) => pathOf(kind) === path))]),
);

function pathOf({ group, version }: Kind): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`;
}

function documentOf(of: readonly Kind[]): Obj {
  const parameters = ['dryRun', 'fieldManager', 'fieldValidation', 'force'].map((name) => ({ name, in: 'query' }));
  const paths = of.map((kind) => {
    const { group, version } = kind;
    const patch = {
      parameters,
      responses: { 200: { description: 'OK' } },
      'x-kubernetes-action': 'patch',
      'x-kubernetes-group-version-kind': { group, version, kind: kind.kind },
    };
    return [`/${pathOf(kind)}/${kind.namespaced ? 'namespaces/{namespace}/' : ''}${kind.plural}/{name}`, { patch }];
  });
  return { openapi: '3.0.0', info: { title: 'Kubernetes', version: 'unversioned' }, paths: Object.fromEntries(paths) };
}

/**
 * Answers /openapi/v3 and the paths below it.
 * @returns whether it was one
 * @throws ApiFailure 404
 */
export function answerOpenApi(remote: RemoteDiscovery, call: Call): boolean {
  const [, path] = /^\/openapi\/v3(?:\/(.*))?$/.exec(call.info.path) ?? [call.info.path, undefined];
  if (!call.info.path.startsWith('/openapi/v3')) return false;
  if (path === undefined || path === '') {
    const own = [...documents.keys()].map((each) => [each, { serverRelativeURL: `/openapi/v3/${each}` }]);
    sendJson(call, 200, { paths: { ...Object.fromEntries(own), ...remote.openApi() } });
    return true;
  }
  const document = documents.get(path);
  if (!document) throw notServed();
  sendJson(call, 200, document);
  return true;
}
