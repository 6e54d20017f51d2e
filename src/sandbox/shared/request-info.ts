/** The attributes of a request for RBAC (k8s.io/apiserver/pkg/endpoints/request, RequestInfo). */
export interface RequestInfo {
  /** That of a resource, e.g. list or deletecollection, else the HTTP method in lower case. */
  readonly verb: string;
  readonly path: string;
  readonly isResource: boolean;
  /** Empty for the core group. This and the fields below are empty for non-resource paths. */
  readonly group: string;
  readonly version: string;
  /** Plural. */
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
}

const verbs: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};
const namespaceSubresources = ['status', 'finalize'];

/**
 * Parses a request by the rules of k8s.io/apiserver/pkg/endpoints/request/requestinfo.go.
 * @throws URIError for a malformed escape in the path
 */
export function requestInfoOf(method: string, url: URL): RequestInfo {
  // As in Go, the path is split after unescaping: an escaped slash separates too.
  const path = decodeURIComponent(url.pathname);
  const other: RequestInfo = { verb: method.toLowerCase(), path, isResource: false, ...nothing };
  const [prefix = '', ...parts] = path.replace(/^\/|\/$/g, '').split('/');
  const group = prefix === 'apis' ? parts.shift() : '';
  const [version = '', ...rest] = parts;
  if (!['api', 'apis'].includes(prefix) || group === undefined || rest.length === 0) return other;

  const verb = verbs[method] ?? '';
  const namespace = rest[0] === 'namespaces' ? (rest[1] ?? '') : '';
  if (rest.length > 2 && rest[0] === 'namespaces' && !namespaceSubresources.includes(rest[2] ?? '')) rest.splice(0, 2);
  const [resource = '', name = '', subresource = ''] = rest;
  const named = { path, isResource: true, group, version, resource, subresource, namespace };
  if (name !== '') return { ...named, verb, name };
  if (verb === 'delete') return { ...named, verb: 'deletecollection', name };
  if (verb !== 'get') return { ...named, verb, name };
  return { ...named, verb: isWatch(url) ? 'watch' : 'list', name: singleName(url) };
}

const nothing = { group: '', version: '', resource: '', subresource: '', namespace: '', name: '' };

/**
 * An empty value is true (k8s.io/apimachinery/pkg/runtime/converter.go,
 * Convert_Slice_string_To_bool).
 */
function isWatch({ searchParams }: URL): boolean {
  const value = searchParams.get('watch');
  return value !== null && !['false', '0'].includes(value.toLowerCase());
}

/** A list that selects one name is authorized with that name: resourceNames may allow it. */
const singleName = ({ searchParams }: URL): string =>
  /(?:^|,)metadata\.name==?([^,=!/%]+)(?:,|$)/.exec(searchParams.get('fieldSelector') ?? '')?.[1] ?? '';
