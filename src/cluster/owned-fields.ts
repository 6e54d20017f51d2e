/** The `fieldsV1` of a managedFields entry: nested maps whose keys name fields and items. */
export interface FieldsV1 {
  readonly [key: string]: FieldsV1;
}

/**
 * Extracts the fields that a manager owns from an object, with their live values: what the manager
 * has to apply so that it owns the same fields afterwards. The keys are those of
 * sigs.k8s.io/structured-merge-diff (fieldpath/serialize-pe.go): `f:` is a field, `k:` an item with
 * these keys, `v:` an item of a set, `i:` an item by its index, `.` the field or item itself.
 * @returns undefined for what the object does not have
 */
export function extractOwned(value: unknown, fields: FieldsV1): unknown {
  // Owned as a whole: a value, an atomic map or list, or a map that was applied empty.
  if (Object.keys(fields).length === 0) return value;
  if (Array.isArray(value)) return value.flatMap((item, index) => ownedItem(item, index, fields));
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, child]) => {
      const owned = fields[`f:${name}`];
      return owned ? [[name, extractOwned(child, owned)]] : [];
    }),
  );
}

type Map = Readonly<Record<string, unknown>>;

const isMap = (value: unknown): value is Map => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The owned part of an item of a list, in a list; empty when no field of it is owned. */
function ownedItem(item: unknown, index: number, fields: FieldsV1): readonly unknown[] {
  const key = Object.keys(fields).find((each) => namesItem(each, item, index));
  return key === undefined ? [] : [extractOwned(item, fields[key] as FieldsV1)];
}

/** Whether a key of `fieldsV1` names this item of a list. */
export function namesItem(key: string, item: unknown, index: number): boolean {
  const [kind, rest] = [key.slice(0, 2), key.slice(2)];
  if (kind === 'i:') return Number(rest) === index;
  if (kind === 'v:') return JSON.stringify(item) === JSON.stringify(JSON.parse(rest));
  if (kind !== 'k:' || !isMap(item)) return false;
  return Object.entries(JSON.parse(rest) as Map).every(([name, value]) => item[name] === value);
}
