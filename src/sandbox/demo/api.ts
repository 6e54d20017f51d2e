import { badRequest, notAllowed, notFound, notServed } from '../shared/failure.ts';
import type { RequestInfo } from '../shared/request-info.ts';
import { apiGroup, groupList, resourceList } from './discovery.ts';
import type { Flags } from './flags.ts';
import { measure } from './measure.ts';

/** An authorized request. */
export interface Question {
  readonly method: string;
  readonly url: URL;
  readonly info: RequestInfo;
}

type Api = Flags['api'];

/**
 * Answers a request with status 200.
 * @returns text, or an object to send as JSON
 * @throws ApiFailure 400, 404, 405
 */
export function answer(api: Api, question: Question): string | object {
  const { method, url, info } = question;
  if (isAboutHosts(api, info)) return hosts(api, question);
  const reply = documentAt(url.pathname.replace(/(.)\/$/, '$1'), api);
  if (!reply) throw notServed();
  if (method !== 'GET' && method !== 'HEAD') throw notAllowed();
  return reply;
}

const isAboutHosts = (api: Api, { group, version, resource, namespace, subresource }: RequestInfo): boolean =>
  group === api.group && version === api.version && resource === 'hosts' && namespace === '' && subresource === '';

function documentAt(path: string, api: Api): string | object | undefined {
  const { group, version } = api;
  switch (path) {
    case '/healthz':
    case '/livez':
    case '/readyz':
      return 'ok';
    case '/version':
      return { major: '1', minor: '0', gitVersion: 'v1.0.0', platform: `${process.platform}/${process.arch}` };
    case '/apis':
      return groupList(api);
    case `/apis/${group}`:
      return apiGroup(api);
    case `/apis/${group}/${version}`:
      return resourceList(api);
    default:
      return undefined;
  }
}

/** The only resource. It is read-only and has one object. */
function hosts(api: Api, { url, info }: Question): object {
  if (info.verb !== 'get' && info.verb !== 'list') throw notAllowed();
  const found = measure(api, new Date());
  if (info.verb === 'get' && info.name !== found.metadata.name) {
    throw notFound({ group: api.group, plural: 'hosts', kind: 'Host' }, info.name);
  }
  if (url.searchParams.get('labelSelector') || url.searchParams.get('fieldSelector')) throw badRequest('selectors are not supported');
  if (info.verb === 'get') return found;
  return { kind: 'HostList', apiVersion: found.apiVersion, metadata: {}, items: [found] };
}
