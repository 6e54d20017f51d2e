import { applyPatch } from 'rfc6902';
import { ApiFailure, badRequest } from '../shared/failure.ts';
import type { Obj } from './types.ts';

// The failures are those of k8s.io/apiserver/pkg/endpoints/handlers/patch.go.

/** How Go names the type of a JSON value. */
const typeOf = (value: Obj): string => (Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value);

const notOfType = (value: Obj, type: string): ApiFailure =>
  badRequest(`error decoding patch: json: cannot unmarshal ${typeOf(value)} into Go value of type ${type}`);

const isMap = (value: Obj): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

function merged(value: Obj, patch: Obj): Obj {
  if (!isMap(patch)) return patch;
  const target = isMap(value) ? value : {};
  const changed = Object.entries(patch).map(([key, wanted]) => [key, wanted === null ? undefined : merged(target[key], wanted)]);
  const all = Object.entries({ ...target, ...Object.fromEntries(changed) });
  return Object.fromEntries(all.filter(([, held]) => held !== undefined));
}

/**
 * A JSON merge patch (RFC 7386).
 *
 * @param patch - JSON that a client sent
 * @returns the object with the patch; it itself stays as it is
 * @throws ApiFailure 400 when the patch is no map
 */
export function mergePatch(object: Obj, patch: Obj): Obj {
  if (patch === null) throw badRequest('Invalid JSON Patch');
  if (!isMap(patch)) throw notOfType(patch, 'map[string]interface {}');
  return merged(object, patch);
}

/**
 * A JSON patch (RFC 6902).
 *
 * @param patch - JSON that a client sent
 * @returns the object with the patch; it itself stays as it is
 * @throws ApiFailure 400 when the patch is no list of operations, 422 when one of them does not go,
 * which kube-apiserver does not explain
 */
export function jsonPatch(object: Obj, patch: Obj): Obj {
  if (!Array.isArray(patch)) throw notOfType(patch, '[]handlers.jsonPatchOp');
  const wrong = patch.find((operation) => operation !== null && !isMap(operation));
  if (wrong !== undefined) throw notOfType(wrong, 'handlers.jsonPatchOp');
  const patched = structuredClone(object);
  if (!succeeds(patched, patch)) throw new ApiFailure(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
  return patched;
}

function succeeds(object: Obj, patch: Obj): boolean {
  try {
    return applyPatch(object, patch).every((outcome) => outcome === null);
  } catch {
    // A path that is no JSON pointer.
    return false;
  }
}
