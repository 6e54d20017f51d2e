import { badRequest, notSimulated } from '../shared/failure.ts';
import type { Call, Kind, Obj } from './types.ts';

/**
 * Fills in the name and namespace that the path gives.
 * @param mustHaveName - otherwise an object without a name gets that of the path
 * @throws ApiFailure 400 when the object names another place; 501 for generateName
 */
export function placed(kind: Kind, { info }: Pick<Call, 'info'>, object: Obj, mustHaveName: boolean): Obj {
  const { name, generateName, namespace, ...rest } = object.metadata ?? {};
  for (const [field, value] of Object.entries({ name, namespace }))
    if (value !== undefined && typeof value !== 'string') throw badRequest(`metadata.${field} is not a string`);
  if (!name && mustHaveName)
    throw badRequest(`the name of the object (${info.name} based on URL) was undeterminable: name must be provided`);
  if (name && info.name && name !== info.name)
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${info.name})`);
  if (kind.namespaced && namespace && namespace !== info.namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  if (generateName && !name && !info.name) throw notSimulated('Objects with generateName');
  return {
    ...object,
    metadata: {
      ...rest,
      name: name || info.name,
      ...(kind.namespaced ? { namespace: info.namespace } : {}),
    },
  };
}
