import { type FieldSet, fromFieldsV1, toFieldsV1 } from './managed-fields.ts';
import type { Obj } from './types.ts';

/** Who owns something of an object: one entry of metadata.managedFields. */
export interface Manager {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource?: string;
  /** Of the last change; none for one that applied what was there already. */
  readonly time?: string;
  readonly fields: FieldSet;
}

/** By `identityOf`. */
export type Managers = Map<string, Manager>;

/**
 * What tells managers apart, and orders the conflicts with them
 * (managedfields/internal/managedfields.go, BuildManagerIdentifier).
 */
export const identityOf = ({ manager, operation, apiVersion, subresource }: Omit<Manager, 'fields'>): string =>
  JSON.stringify({ manager, operation, ...(operation === 'Update' ? { apiVersion } : {}), ...(subresource ? { subresource } : {}) });

function decode(entries: readonly Obj[]): Managers {
  const managers: Managers = new Map();
  for (const { fieldsType, fieldsV1, ...entry } of entries) {
    const known = entry.operation === 'Apply' || entry.operation === 'Update';
    if (!known || !entry.apiVersion || fieldsType !== 'FieldsV1') return new Map();
    managers.set(identityOf(entry), { ...entry, fields: fromFieldsV1(fieldsV1 ?? {}) });
  }
  return managers;
}

/**
 * @returns the managers by metadata.managedFields; nobody when what a client sent is no such list
 */
export function decodeManagers(entries: Obj): Managers {
  try {
    return decode(entries ?? []);
  } catch {
    return new Map();
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** As kube-apiserver sorts them (sortEncodedManagedFields). */
const inOrder = (a: Manager, b: Manager): number =>
  compare(a.operation, b.operation) ||
  compare(a.time ?? '', b.time ?? '') ||
  compare(a.manager, b.manager) ||
  compare(a.apiVersion, b.apiVersion) ||
  compare(a.subresource ?? '', b.subresource ?? '');

/**
 * @returns the object with metadata.managedFields that say this, or with none when there is nothing
 * to say
 */
export function withManagers(object: Obj, managers: Managers): Obj {
  const { managedFields: _, ...metadata } = object.metadata ?? {};
  const owners = [...managers.values()].filter(({ fields }) => fields.size > 0).sort(inOrder);
  const entries = owners.map(({ manager, operation, apiVersion, time, fields, subresource }) => ({
    manager,
    operation,
    apiVersion,
    ...(time ? { time } : {}),
    fieldsType: 'FieldsV1',
    fieldsV1: toFieldsV1(fields),
    ...(subresource ? { subresource } : {}),
  }));
  return { ...object, metadata: { ...metadata, ...(entries.length > 0 ? { managedFields: entries } : {}) } };
}
