import { isDeepStrictEqual } from 'node:util';

type Map = Record<string, unknown>;

const isMap = (value: unknown): value is Map => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Applies a JSON merge patch (RFC 7386): maps are merged, null removes, any other value replaces.
 * @param target is left unchanged
 */
export function mergePatch(target: unknown, patch: Map): Map;
export function mergePatch(target: unknown, patch: unknown): unknown;
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isMap(patch)) return patch;
  const merged = isMap(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

/**
 * The JSON merge patch that turns one map into another. Lists are replaced as a whole.
 */
export function mergePatchTo(from: object, to: object): Map {
  const [before, after] = [from as Map, to as Map];
  const removed = Object.keys(before).filter((key) => !(key in after));
  const changed = Object.entries(after).filter(([key, value]) => !isDeepStrictEqual(value, before[key]));
  return Object.fromEntries([
    ...removed.map((key) => [key, null]),
    ...changed.map(([key, value]) => [key, isMap(value) && isMap(before[key]) ? mergePatchTo(before[key], value) : value]),
  ]);
}

/** The paths of the values that a JSON merge patch would change. */
export const changedPaths = (target: unknown, patch: object): readonly (readonly string[])[] =>
  Object.entries(patch).flatMap(([key, value]) => {
    const before = isMap(target) ? target[key] : undefined;
    if (isMap(value)) return changedPaths(before, value).map((path) => [key, ...path]);
    return isDeepStrictEqual(value ?? undefined, before) ? [] : [[key]];
  });
