import type { UserInfo } from './identity.ts';
import type { RequestInfo } from './request-info.ts';

interface Details {
  readonly name?: string | undefined;
  readonly group?: string | undefined;
  readonly kind?: string | undefined;
  readonly uid?: string;
  readonly causes?: readonly Cause[];
  readonly retryAfterSeconds?: number;
}

/** One field that is wrong. */
export interface Cause {
  readonly reason?: string;
  readonly message: string;
  readonly field?: string;
}

/** An answer that is a Status of failure (k8s.io/apimachinery/pkg/apis/meta/v1, Status). */
export class ApiFailure extends Error {
  constructor(
    readonly code: number,
    readonly reason: string,
    message: string,
    readonly details?: Details,
  ) {
    super(message);
  }

  /** The JSON of the answer; fields in the order of kube-apiserver. */
  status(): object {
    const { code, reason, message, details } = this;
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      ...(reason === '' ? {} : { reason }),
      ...(details ? { details } : {}),
      code,
    };
  }
}

/** A kind, as messages name it; the group is empty for the core group. */
interface Named {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
}

/** `pods`, or `apiservices.apiregistration.k8s.io`. */
const qualified = ({ group, plural }: Named): string => (group === '' ? plural : `${plural}.${group}`);
const detailsOf = ({ group, plural }: Named, name: string): Details => ({ name, ...(group === '' ? {} : { group }), kind: plural });

// The words are those of k8s.io/apimachinery/pkg/api/errors/errors.go.
export const notFound = (kind: Named, name: string): ApiFailure =>
  new ApiFailure(404, 'NotFound', `${qualified(kind)} "${name}" not found`, detailsOf(kind, name));

export const alreadyExists = (kind: Named, name: string): ApiFailure =>
  new ApiFailure(409, 'AlreadyExists', `${qualified(kind)} "${name}" already exists`, detailsOf(kind, name));

export const conflict = (kind: Named, name: string, why: string): ApiFailure =>
  new ApiFailure(409, 'Conflict', `Operation cannot be fulfilled on ${qualified(kind)} "${name}": ${why}`, detailsOf(kind, name));

export const notServed = (): ApiFailure => new ApiFailure(404, 'NotFound', 'the server could not find the requested resource', {});
export const notAllowed = (): ApiFailure =>
  new ApiFailure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});

export const badRequest = (message: string): ApiFailure => new ApiFailure(400, 'BadRequest', message);

/**
 * @param name - empty where kube-apiserver knows none, as for a review; details leave out what is
 * empty
 * @param causes - what is wrong; each message without the name of its field, which stands before it
 * in the message of the whole
 */
export function invalid(
  { group, kind }: Pick<Named, 'group' | 'kind'>,
  name: string,
  causes: readonly (Cause & { readonly field: string })[],
): ApiFailure {
  const words = causes.map(({ field, message }) => `${field}: ${message}`);
  const [only = ''] = words;
  const list = words.length === 1 ? only : `[${words.join(', ')}]`;
  return new ApiFailure(422, 'Invalid', `${group === '' ? kind : `${kind}.${group}`} "${name}" is invalid: ${list}`, {
    ...(name === '' ? {} : { name }),
    ...(group === '' ? {} : { group }),
    ...(kind === '' ? {} : { kind }),
    causes,
  });
}

/**
 * For what a full kube-apiserver can do and the simulation can not.
 * @param what - `Strategic merge patches`, a plural
 */
export const notSimulated = (what: string): ApiFailure =>
  new ApiFailure(
    501,
    'NotImplemented',
    `${what} are not simulated by apisvc sandbox; its real engine does them: apisvc sandbox --assets DIR, with etcd and kube-apiserver in DIR`,
  );

/**
 * Nothing here knows the types of all fields: that something is of a wrong one shows when it is
 * used.
 * @throws ApiFailure 400 then
 */
export function readable<T>(kind: { readonly version: string; readonly kind: string }, use: () => T): T {
  try {
    return use();
  } catch (error) {
    if (error instanceof TypeError)
      throw badRequest(
        `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: a field is of another type: ${error.message}`,
      );
    throw error;
  }
}

/**
 * The refusal, in the words of k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go.
 */
export function forbidden(user: UserInfo, info: RequestInfo, reason: string): ApiFailure {
  const { isResource, verb, group, resource, subresource, namespace, name } = info;
  const full = `${resource}${subresource === '' ? '' : `/${subresource}`}`;
  const scope = namespace === '' ? 'at the cluster scope' : `in the namespace ${quote(namespace)}`;
  const asked = isResource ? `resource ${quote(full)} in API group ${quote(group)} ${scope}` : `path ${quote(info.path)}`;
  const refusal = `User ${quote(user.name)} cannot ${verb} ${asked}`.replace(/[&<>]/g, (found) => entities[found] ?? found);
  const about = isResource ? `${resource}${group === '' ? '' : `.${group}`}${name === '' ? '' : ` "${name}"`} is ` : '';
  const details = isResource ? { ...(name === '' ? {} : { name }), ...(group === '' ? {} : { group }), kind: resource } : {};
  return new ApiFailure(403, 'Forbidden', `${about}forbidden: ${refusal}${reason === '' ? '' : `: ${reason}`}`, details);
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
/** Go's %q, but for letters that nobody can print. */
const quote = (text: string): string => JSON.stringify(text);
