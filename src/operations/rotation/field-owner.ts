import type { KubeObject } from '../../manifests/types.ts';

interface Entry {
  readonly manager?: string;
  readonly time?: string;
  readonly fieldsV1?: object;
}

/**
 * Who wrote a field last, for messages: `"kubectl-edit" at 2026-11-28T11:00:00Z`.
 * @param path as in managedFields (KEP-555): `f:spec`, `f:caBundle`
 */
export function fieldOwner({ metadata }: KubeObject, path: readonly string[]): string {
  const { managedFields = [] } = metadata as { readonly managedFields?: readonly Entry[] };
  const owners = managedFields.filter(({ fieldsV1 }) => has(fieldsV1, path)).toSorted((one, other) => timeOf(other) - timeOf(one));
  const [owner] = owners;
  return owner ? `"${owner.manager}"${owner.time === undefined ? '' : ` at ${owner.time}`}` : 'an unknown field manager';
}

/** The name of every manager of a field. */
export const fieldManagers = ({ metadata }: KubeObject, path: readonly string[]): readonly string[] =>
  ((metadata as { readonly managedFields?: readonly Entry[] }).managedFields ?? []).flatMap(({ manager = '', fieldsV1 }) =>
    has(fieldsV1, path) ? [manager] : [],
  );

const timeOf = ({ time = '' }: Entry): number => Date.parse(time) || 0;

function has(fields: object | undefined, [first, ...rest]: readonly string[]): boolean {
  if (first === undefined) return fields !== undefined;
  return has((fields as Record<string, object> | undefined)?.[first], rest);
}
