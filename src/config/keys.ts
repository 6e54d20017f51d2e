import * as z from 'zod';
import { nearest } from './nearest.ts';
import { pathText } from './path-text.ts';
import { registrationSchema } from './schema.ts';
import { shown } from './shown.ts';

interface Mapping {
  /** With list items written `[]`. */
  readonly path: string;
  readonly keys: readonly string[];
  /** The `type` whose keys these are, where a mapping has several forms. */
  readonly type?: string;
}

/** Every mapping of the schema with fixed keys. */
function* mappings(schema: z.core.$ZodType, path = '', type?: string): Generator<Mapping> {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    yield* mappings(schema.unwrap(), path);
  } else if (schema instanceof z.ZodArray) {
    yield* mappings(schema.element, `${path}[]`);
  } else if (schema instanceof z.ZodUnion) {
    for (const option of schema.options) yield* mappings(option, path, typeOf(option));
  } else if (schema instanceof z.ZodObject) {
    yield { path, keys: Object.keys(schema.shape), ...(type === undefined ? {} : { type }) };
    for (const [key, value] of Object.entries(schema.shape)) {
      yield* mappings(value as z.core.$ZodType, path === '' ? key : `${path}.${key}`);
    }
  }
}

const typeOf = (schema: z.core.$ZodType): string | undefined =>
  schema instanceof z.ZodObject && schema.shape.type instanceof z.ZodLiteral ? String(schema.shape.type.value) : undefined;

/** The message for an unknown key: where it belongs, which key was probably meant, or all keys. */
export function unknownKey(path: readonly PropertyKey[], key: string): string {
  const known = [...mappings(registrationSchema)];
  const here = known.filter((mapping) => mapping.path === pathText(path).replace(/\[\d+\]/g, '[]'));
  const homes = known.filter(({ keys }) => keys.includes(key));
  const start = `unknown key ${shown(key)}`;
  const [home] = homes;
  if (homes.length === 1 && home?.path)
    return `${start}; it is allowed only ${here.includes(home) ? `with type: ${home.type}` : `in ${home.path}`}`;
  const keys = [...new Set(here.flatMap((mapping) => mapping.keys))];
  const meant = nearest(key, keys);
  return meant ? `${start}; did you mean "${meant}"?` : `${start}; the allowed keys are ${keys.join(', ')}`;
}
