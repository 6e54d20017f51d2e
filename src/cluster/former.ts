import { isDeepStrictEqual } from 'node:util';
import { restartAnnotation } from '../manifests/labels.ts';
import type { KubeObject } from '../manifests/types.ts';
import { type FieldsV1, namesItem } from './owned-fields.ts';

/**
 * The annotation that records what an object was before apisvc applied it: `absent`, or the former
 * values of the fields that apisvc changed. Server-side apply forgets them. A labelled object of
 * apisvc without it did not exist before.
 */
export const formerAnnotation = 'apisvc.dev/former';

/** The value of the annotation for an object that did not exist. */
export const formerlyAbsent = 'absent';

/** What a rotation adds to a Deployment whose pods it restarts. */
const restart = ['f:spec', 'f:template', 'f:metadata', 'f:annotations', `f:${restartAnnotation}`];

/** One field that apisvc changed. */
interface FormerField {
  /** The keys of `fieldsV1` that lead to the field. */
  readonly path: readonly string[];
  /** The former value. Absent where the field did not exist. */
  readonly was?: unknown;
  /** The list that replaced `was`, so that later changes of others stay when it is restored. */
  readonly set?: readonly unknown[];
  /** The former value is a part of a Secret, which no annotation may contain. */
  readonly secret?: true;
}

/**
 * Records the former values of the fields that apisvc changes in an object.
 * @param before the object before apisvc applied it
 * @param after the object after that, or the result of a dry run
 * @param owned the fields of `after` that apisvc owns
 * @returns the value of the annotation; undefined when nothing changes
 */
export function recordFormer(before: KubeObject, after: KubeObject, owned: FieldsV1): string | undefined {
  const secret = before.kind === 'Secret';
  const changed = [...changedFields(before, after, owned)].map((field) =>
    secret && field.path[0] === 'f:data' && 'was' in field ? { path: field.path, secret: true } : field,
  );
  return changed.length === 0 ? undefined : JSON.stringify(changed);
}

function* changedFields(before: unknown, after: unknown, owned: FieldsV1, above: readonly string[] = []): Generator<FormerField> {
  for (const [key, below] of Object.entries(owned)) {
    if (key === '.') continue;
    const path = [...above, key];
    const [was, is] = [valueAt(before, key), valueAt(after, key)];
    const isLeaf = Object.keys(below).length === 0;
    if (was === undefined && (isLeaf || !key.startsWith('f:'))) yield { path, ...(isList(is) ? { set: is } : {}) };
    else if (!isLeaf) yield* changedFields(was, is, below, path);
    else if (!isDeepStrictEqual(was, is)) yield { path, was, ...(isList(is) ? { set: is } : {}) };
  }
}

/**
 * Puts the former values back, and removes what apisvc added. Items that others added to a list
 * stay, and so do values that apisvc no longer owns. Does not change `found`.
 * @param found the object as the cluster has it, with the annotation
 * @param owned the fields of `found` that apisvc owns
 * @returns undefined when the annotation is absent or does not record values
 */
export function withFormer(found: KubeObject, owned: FieldsV1): KubeObject | undefined {
  const fields = readFormer(found.metadata.annotations?.[formerAnnotation]);
  if (!fields) return undefined;
  const object = structuredClone(found) as KubeObject;
  for (const field of [...fields].reverse()) if (!field.secret && !isOfOthers(found, field, owned)) restoreField(object, field);
  restoreField(object, { path: ['f:metadata', 'f:annotations', `f:${formerAnnotation}`] });
  // Without server-side apply, so that no record has it.
  if (restart.reduce<unknown>(valueAt, found) !== undefined) restoreField(object, { path: restart });
  return object;
}

/**
 * Whether others changed a field since apisvc applied it. Changes of a list are merged instead, and
 * a field that apisvc stopped to apply is absent.
 */
const isOfOthers = (found: KubeObject, { path, set }: FormerField, owned: FieldsV1): boolean =>
  set === undefined &&
  path.reduce<unknown>(valueAt, found) !== undefined &&
  path.reduce<FieldsV1 | undefined>((fields, key) => fields?.[key], owned) === undefined;

/** Whether the former value of a field is not known, because it is a part of a Secret. */
export const hasLostValues = ({ metadata }: KubeObject): boolean =>
  readFormer(metadata.annotations?.[formerAnnotation])?.some(({ secret }) => secret) === true;

/** Anybody can edit an annotation, so anything but a record counts as none. */
function readFormer(text: string | undefined): readonly FormerField[] | undefined {
  try {
    const fields: unknown = JSON.parse(text ?? '');
    return isList(fields) && fields.every(isFormerField) ? fields : undefined;
  } catch {
    return undefined;
  }
}

const isFormerField = (field: unknown): field is FormerField =>
  isMap(field) &&
  isList(field.path) &&
  field.path.length > 0 &&
  field.path.every((key) => typeof key === 'string' && /^(f:(?!__proto__$)|[kv]:)/.test(key));

function restoreField(parent: unknown, field: FormerField): void {
  const [key = '', ...rest] = field.path;
  const child = valueAt(parent, key);
  if (rest.length === 0) put(parent, key, formerValue(child, field));
  else if (child !== undefined) restoreField(child, { ...field, path: rest });
  else if ('was' in field && key.startsWith('f:') && rest.every((each) => each.startsWith('f:'))) {
    put(parent, key, {});
    restoreField(valueAt(parent, key), { ...field, path: rest });
  }
  if (rest.length > 0 && isEmpty(valueAt(parent, key))) put(parent, key, undefined);
}

/** @param present the value in the cluster */
function formerValue(present: unknown, { was, set }: FormerField): unknown {
  if (set === undefined || !isList(present) || isDeepStrictEqual(present, set)) return was;
  const former = isList(was) ? was : [];
  const has = (list: readonly unknown[], item: unknown): boolean => list.some((each) => isDeepStrictEqual(each, item));
  const kept = present.filter((item) => has(former, item) || !has(set, item));
  const restored = [...kept, ...former.filter((item) => !has(set, item) && !has(kept, item))];
  return restored.length > 0 ? restored : was;
}

function valueAt(parent: unknown, key: string): unknown {
  if (isList(parent)) return parent.find((item, index) => namesItem(key, item, index));
  return isMap(parent) ? parent[key.slice(2)] : undefined;
}

function put(parent: unknown, key: string, value: unknown): void {
  if (Array.isArray(parent)) {
    const at = parent.findIndex((item, index) => namesItem(key, item, index));
    if (at >= 0) parent.splice(at, 1, ...(value === undefined ? [] : [value]));
    else if (value !== undefined) parent.push(value);
  } else if (isMap(parent)) {
    if (value === undefined) delete parent[key.slice(2)];
    else parent[key.slice(2)] = value;
  }
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);
const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isEmpty = (value: unknown): boolean => typeof value === 'object' && value !== null && Object.keys(value).length === 0;
