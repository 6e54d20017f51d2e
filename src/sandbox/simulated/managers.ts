import { type FieldSet, fromFieldsV1, toFieldsV1 } from './managed-fields.ts';
import type { Obj } from './types.ts';

/** One entry of metadata.managedFields. */
export interface Manager {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource?: string;
  readonly time?: string;
  readonly fields: FieldSet;
}

/** By `identityOf`. */
export type Managers = Map<string, Manager>;

/** The identity of a manager (managedfields/internal/managedfields.go, BuildManagerIdentifier). */
export const identityOf = ({ manager, operation, apiVersion, subresource }: Omit<Manager, 'fields'>): string =>
  JSON.stringify({ manager, operation, ...(operation === 'Update' ? { apiVersion } : {}), ...(subresource ? { subresource } : {}) });

/** @param entries - metadata.managedFields of a stored object */
export const decodeManagers = (entries: readonly Obj[] = []): Managers =>
  new Map(entries.map(({ fieldsType: _, fieldsV1, ...entry }) => [identityOf(entry), { ...entry, fields: fromFieldsV1(fieldsV1) }]));

const sortKey = ({ operation, time = '', manager, apiVersion, subresource = '' }: Manager): string =>
  [operation, time, manager, apiVersion, subresource].join('\0');

/** @returns the object with these managers in metadata.managedFields */
export function withManagers(object: Obj, managers: Managers): Obj {
  const { managedFields: _, ...metadata } = object.metadata ?? {};
  const owners = [...managers.values()].filter(({ fields }) => fields.size > 0).sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  const managedFields = owners.map(({ manager, operation, apiVersion, time, fields, subresource }) => ({
    manager,
    operation,
    apiVersion,
    ...(time ? { time } : {}),
    fieldsType: 'FieldsV1',
    fieldsV1: toFieldsV1(fields),
    ...(subresource ? { subresource } : {}),
  }));
  return { ...object, metadata: { ...metadata, ...(managedFields.length > 0 ? { managedFields } : {}) } };
}
