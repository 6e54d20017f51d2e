import { difference, type FieldSet, fieldsOf } from './managed-fields.ts';
import { changesBetween } from './structured-merge.ts';
import type { Obj } from './types.ts';

// How `kubectl apply --server-side` takes over what `kubectl apply` made (managedfields/internal/lastappliedmanager.go, lastappliedupdater.go).

const annotation = 'kubectl.kubernetes.io/last-applied-configuration';

/** The one manager that it is for. */
export const kubectl = 'kubectl';

const textOf = (object: Obj): string | undefined => object.metadata?.annotations?.[annotation];

function parsed(text: string): Obj {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @returns the fields that kubectl applied last and nobody has changed since; they are kubectl's whoever owns them */
export function lastAppliedFields(live: Obj): FieldSet {
  const last = parsed(textOf(live) ?? '');
  if (!last || last.apiVersion !== live.apiVersion) return new Set();
  const { set, removed } = changesBetween(last, live);
  return difference(difference(fieldsOf(last), set), removed);
}

/** JSON as Go writes it: keys sorted. */
const goJson = (object: Obj): string =>
  JSON.stringify(object, (_, value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  ).replace(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`);

/** @returns the object with the annotation of what is applied now, if it has that annotation at all */
export function withLastApplied(object: Obj, applied: Obj): Obj {
  if (!textOf(object)) return object;
  const { [annotation]: _, ...annotations } = applied.metadata.annotations ?? {};
  const metadata = applied.metadata.annotations ? { ...applied.metadata, annotations } : applied.metadata;
  const text = `${goJson({ ...applied, metadata })}\n`;
  return { ...object, metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [annotation]: text } } };
}
