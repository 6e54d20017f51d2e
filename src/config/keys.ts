import * as z from 'zod';
import { nearest } from './nearest.ts';
import { registrationSchema } from './schema.ts';
import { shown } from './shown.ts';

/** Paths as people write them: `spec.apis[0].group`. */
export const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    const key = String(part);
    if (!/^[\w-]+$/.test(key)) return `${text}[${shown(key)}]`;
    return text === '' ? key : `${text}.${key}`;
  }, '');

/** Every mapping of the schema that knows its keys, by path, with list items written `[]`. */
function* mappings(schema: z.core.$ZodType, path = ''): Generator<[path: string, keys: string[]]> {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    yield* mappings(schema.unwrap(), path);
  } else if (schema instanceof z.ZodArray) {
    yield* mappings(schema.element, `${path}[]`);
  } else if (schema instanceof z.ZodObject) {
    yield [path, Object.keys(schema.shape)];
    for (const [key, value] of Object.entries(schema.shape)) {
      yield* mappings(value as z.core.$ZodType, path === '' ? key : `${path}.${key}`);
    }
  }
}

/** What to say of an unknown key: where it belongs, what was probably meant, or what there is. */
export function unknownKey(path: readonly PropertyKey[], key: string): string {
  const known = new Map(mappings(registrationSchema));
  const here = known.get(pathText(path).replace(/\[\d+\]/g, '[]')) ?? [];
  const homes = [...known].filter(([, keys]) => keys.includes(key)).map(([home]) => home);
  const said = `unknown key ${shown(key)}`;
  if (homes.length === 1 && homes[0]) return `${said}; it belongs under ${homes[0]}`;
  const meant = nearest(key, here);
  return meant ? `${said}; did you mean "${meant}"?` : `${said}; the keys here are ${here.join(', ')}`;
}
