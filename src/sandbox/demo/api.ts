import { badRequest, notAllowed, notFound, notServed } from '../shared/failure.ts';
import type { RequestInfo } from '../shared/request-info.ts';
import type { GroupVersion } from './flags.ts';
import { measure } from './measure.ts';

/** An authorized request. */
export interface AuthorizedRequest {
  readonly method: string;
  readonly url: URL;
  readonly info: RequestInfo;
}

/**
 * Answers a request with status 200.
 * @returns text, or an object to send as JSON
 * @throws ApiFailure 400, 404, 405
 */
export function answer(api: GroupVersion, request: AuthorizedRequest): string | object {
  const { method, url, info } = request;
  if (isHosts(api, info)) return hosts(api, request);
  const document = documentAt(url.pathname.replace(/(.)\/$/, '$1'), api);
  if (!document) throw notServed();
  if (method !== 'GET' && method !== 'HEAD') throw notAllowed();
  return document;
}

const isHosts = (api: GroupVersion, { group, version, resource, namespace, subresource }: RequestInfo): boolean =>
  group === api.group && version === api.version && resource === 'hosts' && namespace === '' && subresource === '';

/**
 * Discovery (k8s.io/apimachinery/pkg/apis/meta/v1), health, and an OpenAPI document without schemas
 * (k8s.io/kube-openapi/pkg/handler3), which kube-apiserver lists.
 */
function documentAt(path: string, { group, version }: GroupVersion): string | object | undefined {
  const served = { groupVersion: `${group}/${version}`, version };
  const groupInfo = { name: group, versions: [served], preferredVersion: served };
  const hosts = { name: 'hosts', singularName: 'host', kind: 'Host', verbs: ['get', 'list'], namespaced: false };
  switch (path) {
    case '/healthz':
    case '/livez':
    case '/readyz':
      return 'ok';
    case '/apis':
      return { kind: 'APIGroupList', apiVersion: 'v1', groups: [groupInfo] };
    case `/apis/${group}`:
      return { kind: 'APIGroup', apiVersion: 'v1', ...groupInfo };
    case `/apis/${group}/${version}`:
      return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: served.groupVersion, resources: [hosts] };
    case '/openapi/v3':
      return { paths: { [`apis/${served.groupVersion}`]: { serverRelativeURL: `/openapi/v3/apis/${served.groupVersion}` } } };
    case `/openapi/v3/apis/${served.groupVersion}`:
      return { openapi: '3.0.0', info: { title: 'apisvc demo', version }, paths: {} };
    default:
      return undefined;
  }
}

/** The only resource is read-only and has one object. */
function hosts(api: GroupVersion, { url, info }: AuthorizedRequest): object {
  if (info.verb !== 'get' && info.verb !== 'list') throw notAllowed();
  const host = measure(api, new Date());
  if (info.verb === 'get' && info.name !== host.metadata.name) {
    throw notFound({ group: api.group, plural: 'hosts', kind: 'Host' }, info.name);
  }
  if (url.searchParams.get('labelSelector') || url.searchParams.get('fieldSelector')) throw badRequest('selectors are not supported');
  if (info.verb === 'get') return host;
  return { kind: 'HostList', apiVersion: host.apiVersion, metadata: {}, items: [host] };
}
