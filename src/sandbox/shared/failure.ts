import type { UserInfo } from './identity.ts';
import type { RequestInfo } from './request-info.ts';

interface Details {
  readonly name?: string | undefined;
  readonly group?: string | undefined;
  readonly kind?: string | undefined;
  readonly uid?: string;
  readonly causes?: readonly Cause[];
}

export interface Cause {
  readonly reason?: string;
  readonly message: string;
  readonly field?: string;
}

/** A Status of failure (k8s.io/apimachinery/pkg/apis/meta/v1, Status). */
export class ApiFailure extends Error {
  constructor(
    readonly code: number,
    readonly reason: string,
    message: string,
    readonly details?: Details,
  ) {
    super(message);
  }

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

interface Named {
  /** Empty for the core group. */
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
}

/** `pods`, or `apiservices.apiregistration.k8s.io`. */
const qualified = ({ group, plural }: Named): string => (group === '' ? plural : `${plural}.${group}`);
const detailsOf = ({ group, plural }: Named, name: string): Details => ({ name, ...(group === '' ? {} : { group }), kind: plural });

// Messages of k8s.io/apimachinery/pkg/api/errors/errors.go.
export const notFound = (kind: Named, name: string): ApiFailure =>
  new ApiFailure(404, 'NotFound', `${qualified(kind)} "${name}" not found`, detailsOf(kind, name));

export const alreadyExists = (kind: Named, name: string): ApiFailure =>
  new ApiFailure(409, 'AlreadyExists', `${qualified(kind)} "${name}" already exists`, detailsOf(kind, name));

const modified = 'the object has been modified; please apply your changes to the latest version and try again';

export const conflict = (kind: Named, name: string, why = modified): ApiFailure =>
  new ApiFailure(409, 'Conflict', `Operation cannot be fulfilled on ${qualified(kind)} "${name}": ${why}`, detailsOf(kind, name));

export const notServed = (): ApiFailure => new ApiFailure(404, 'NotFound', 'the server could not find the requested resource', {});
export const notAllowed = (): ApiFailure =>
  new ApiFailure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});

export const badRequest = (message: string): ApiFailure => new ApiFailure(400, 'BadRequest', message);

/** @param name - empty for an object without one @param causes - their messages omit the field */
export function invalid(
  { group, kind }: Pick<Named, 'group' | 'kind'>,
  name: string,
  causes: readonly (Cause & { readonly field: string })[],
): ApiFailure {
  const messages = causes.map(({ field, message }) => `${field}: ${message}`);
  const list = messages.length === 1 ? messages.join() : `[${messages.join(', ')}]`;
  const about = { name: name || undefined, group: group || undefined, kind: kind || undefined };
  return new ApiFailure(422, 'Invalid', `${group === '' ? kind : `${kind}.${group}`} "${name}" is invalid: ${list}`, { ...about, causes });
}

/** What only a full kube-apiserver does. @param what - a plural, e.g. `Strategic merge patches` */
export const notSimulated = (what: string): ApiFailure =>
  new ApiFailure(501, 'NotImplemented', `${what} are not simulated by apisvc sandbox; use its real engine: apisvc sandbox --engine real`);

/** k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go. */
export function forbidden(user: UserInfo, info: RequestInfo, reason: string): ApiFailure {
  const { isResource, verb, group, resource, subresource, namespace, name } = info;
  const quote = (text: string): string => JSON.stringify(text);
  const full = `${resource}${subresource === '' ? '' : `/${subresource}`}`;
  const scope = namespace === '' ? 'at the cluster scope' : `in the namespace ${quote(namespace)}`;
  const target = isResource ? `resource ${quote(full)} in API group ${quote(group)} ${scope}` : `path ${quote(info.path)}`;
  const refusal = `User ${quote(user.name)} cannot ${verb} ${target}${reason === '' ? '' : `: ${reason}`}`;
  const about = isResource ? `${resource}${group === '' ? '' : `.${group}`}${name === '' ? '' : ` "${name}"`} is ` : '';
  const details = isResource ? { name: name || undefined, group: group || undefined, kind: resource } : {};
  return new ApiFailure(403, 'Forbidden', `${about}forbidden: ${refusal}`, details);
}
