import { badRequest, notAllowed, notFound, notServed } from '../shared/failure.ts';
import type { RequestInfo } from '../shared/request-info.ts';
import { apiGroup, groupDiscovery, groupList, resourceList } from './discovery.ts';
import type { Flags } from './flags.ts';
import { measure } from './measure.ts';
import { groupDiscoveryType, prefers, tableType } from './media-type.ts';
import { openApiDocument, openApiIndex } from './open-api.ts';
import { tableOf } from './table.ts';

/** A request of somebody who may make it. */
export interface Question {
  readonly method: string;
  readonly url: URL;
  readonly info: RequestInfo;
  readonly accept: string | undefined;
}

/** What is answered, with status 200. */
export interface Reply {
  /** Text, or what is sent as JSON. */
  readonly body: string | object;
  /** Of JSON that is more than that. */
  readonly contentType?: string;
}

type Api = Flags['api'];

/** Answers a question about this API. @throws ApiFailure 400, 404, 405 */
export function answer(api: Api, question: Question): Reply {
  const { method, url, info, accept } = question;
  if (isAboutHosts(api, info)) return hosts(api, question);
  const reply = documentAt(url.pathname.replace(/(.)\/$/, '$1'), api, accept);
  if (!reply) throw notServed();
  if (method !== 'GET' && method !== 'HEAD') throw notAllowed();
  return reply;
}

const isAboutHosts = (api: Api, { group, version, resource, namespace, subresource }: RequestInfo): boolean =>
  group === api.group && version === api.version && resource === 'hosts' && namespace === '' && subresource === '';

function documentAt(path: string, api: Api, accept: string | undefined): Reply | undefined {
  const { group, version } = api;
  switch (path) {
    case '/healthz':
    case '/livez':
    case '/readyz':
      return { body: 'ok' };
    case '/version':
      return { body: { major: '1', minor: '0', gitVersion: 'v1.0.0', platform: `${process.platform}/${process.arch}` } };
    case '/apis':
      if (prefers(accept, groupDiscoveryType)) return { body: groupDiscovery(api), contentType: groupDiscoveryType };
      return { body: groupList(api) };
    case `/apis/${group}`:
      return { body: apiGroup(api) };
    case `/apis/${group}/${version}`:
      return { body: resourceList(api) };
    case '/openapi/v3':
      return { body: openApiIndex(api) };
    case `/openapi/v3/apis/${group}/${version}`:
      return { body: openApiDocument(api) };
    default:
      return undefined;
  }
}

/** The one resource: read, and nothing else. There is one object of it. */
function hosts(api: Api, { url, info, accept }: Question): Reply {
  if (info.verb !== 'get' && info.verb !== 'list') throw notAllowed();
  const found = measure(api, new Date());
  if (info.verb === 'get' && info.name !== found.metadata.name) {
    throw notFound({ group: api.group, plural: 'hosts', kind: 'Host' }, info.name);
  }
  // To pass over a selector would be to give what was not asked for.
  if (url.searchParams.get('labelSelector') || url.searchParams.get('fieldSelector'))
    throw badRequest('hosts can not be selected: there is one');
  if (prefers(accept, tableType)) return { body: tableOf([found], url.searchParams.get('includeObject')) };
  if (info.verb === 'get') return { body: found };
  return { body: { kind: 'HostList', apiVersion: found.apiVersion, metadata: {}, items: [found] } };
}
