import type { KubeObject } from '../manifests/types.ts';
import type { FieldsV1 } from './owned-fields.ts';

/** An entry of metadata.managedFields (k8s.io/apimachinery/pkg/apis/meta/v1/types.go). */
export interface ManagedFieldsEntry {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion?: string;
  readonly time?: string;
  readonly fieldsV1?: FieldsV1;
}

export const managedFieldsOf = ({ metadata }: KubeObject): readonly ManagedFieldsEntry[] =>
  (metadata as { readonly managedFields?: readonly ManagedFieldsEntry[] }).managedFields ?? [];

/** The entries of a field. @param path for example `['spec', 'caBundle']` */
export const entriesOf = (object: KubeObject, path: readonly string[]): readonly ManagedFieldsEntry[] =>
  managedFieldsOf(object).filter(({ fieldsV1 }) => has(fieldsV1, path));

/** The name of every manager of a field. */
export const fieldManagers = (object: KubeObject, path: readonly string[]): readonly string[] =>
  entriesOf(object, path).map(({ manager }) => manager);

/** Who wrote a field last, for messages: `"kubectl-edit" at 2026-11-28T11:00:00Z`. */
export function fieldOwner(object: KubeObject, path: readonly string[]): string {
  const [owner] = entriesOf(object, path).toSorted((one, other) => timeOf(other) - timeOf(one));
  return owner ? `"${owner.manager}"${owner.time === undefined ? '' : ` at ${owner.time}`}` : 'an unknown field manager';
}

const timeOf = ({ time = '' }: ManagedFieldsEntry): number => Date.parse(time) || 0;

function has(fields: FieldsV1 | undefined, [first, ...rest]: readonly string[]): boolean {
  return first === undefined ? fields !== undefined : has(fields?.[`f:${first}`], rest);
}
