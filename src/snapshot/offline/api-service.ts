import { nearest } from '../../config/nearest.ts';
import { shown } from '../../config/shown.ts';
import type { ManifestView } from '../types.ts';
import type { Json } from '../views.ts';
import { apiServiceShape, type Shape } from './fields.ts';
import type { ReadObject } from './read.ts';
import { isPlaceholder } from './template.ts';
import type { ValuePath } from './values.ts';

type Fault = ManifestView['faults'][number];

/**
 * Judges the manifest of an APIService as the strict decoder of kube-apiserver does
 * (k8s.io/apimachinery/pkg/runtime/serializer/json). Field names are case-sensitive, null is any
 * type.
 */
export function manifestOf({ object, given, written, duplicates }: ReadObject): ManifestView {
  const faults = faultsOf(given ?? object, apiServiceShape, []);
  return {
    apiVersion: written?.apiVersion ?? object.apiVersion,
    ...(written && (written.kind !== object.kind || !written.apiVersion.includes('/')) ? { kind: written.kind } : {}),
    // A name of another type is a fault of its own.
    unnamed: given !== undefined && !faults.some(({ kind, path }) => kind === 'wrong-type' && /^metadata(\.name)?$/.test(path.join('.'))),
    faults: [
      ...faults,
      ...placeholdersOf(given ?? object),
      ...duplicates.map(({ path }): Fault => ({ kind: 'duplicate-key', path: [...path], words: 'set twice' })),
    ],
  };
}

const namePaths = [
  ['spec', 'group'],
  ['spec', 'version'],
  ['spec', 'service', 'namespace'],
  ['spec', 'service', 'name'],
] as const;

/** Names that a tool should have filled in. */
const placeholdersOf = (object: Json): Fault[] =>
  namePaths.flatMap((path) => {
    const value: unknown = path.reduce((inner: Json | undefined, key) => inner?.[key], object);
    return typeof value === 'string' && isPlaceholder(value)
      ? [{ kind: 'placeholder', path: [...path], words: shown(value.trim()).slice(1, -1) }]
      : [];
  });

function faultsOf(value: unknown, shape: Shape, path: ValuePath): Fault[] {
  if (value === null || value === undefined || shape === 'any') return [];
  if (shape === 'bytes') return faultsOfBytes(value, path);
  if (typeof shape === 'string') return typeof value === types[shape] && fits(value, shape) ? [] : [wrongType(value, words[shape], path)];
  if ('list' in shape) {
    if (!Array.isArray(value)) return [wrongType(value, 'a list', path)];
    return value.flatMap((item, index) => faultsOf(item, shape.list, [...path, index]));
  }
  if (typeof value !== 'object' || Array.isArray(value)) return [wrongType(value, 'a map', path)];
  const entries = Object.entries(value);
  if ('map' in shape) return entries.flatMap(([key, item]) => faultsOf(item, shape.map, [...path, key]));
  return entries.flatMap(([key, item]) => {
    const field = Object.hasOwn(shape.fields, key) ? shape.fields[key] : undefined;
    return field ? faultsOf(item, field, [...path, key]) : [unknownField(key, Object.keys(shape.fields), path)];
  });
}

const types = { string: 'string', bool: 'boolean', int32: 'number', int64: 'number' } as const;
const words = { string: 'a string', bool: 'true or false', int32: 'a 32-bit integer', int64: 'an integer' } as const;

const fits = (value: unknown, shape: keyof typeof types): boolean =>
  typeof value !== 'number' || (Number.isInteger(value) && (shape !== 'int32' || (value | 0) === value));

const wrongType = (value: unknown, expected: string, path: ValuePath): Fault => ({
  kind: 'wrong-type',
  path: [...path],
  words: expected,
  given:
    typeof value === 'string'
      ? `the string ${shown(value)}`
      : Array.isArray(value)
        ? 'a list'
        : typeof value === 'object'
          ? 'a map'
          : String(value),
});

/** The fields that are often put in the wrong place, and where they belong. */
const places: Readonly<Record<string, string>> = {
  name: 'metadata.name',
  labels: 'metadata.labels',
  annotations: 'metadata.annotations',
  group: 'spec.group',
  version: 'spec.version',
  service: 'spec.service',
  caBundle: 'spec.caBundle',
  insecureSkipTLSVerify: 'spec.insecureSkipTLSVerify',
  groupPriorityMinimum: 'spec.groupPriorityMinimum',
  versionPriority: 'spec.versionPriority',
  port: 'spec.service.port',
};

function unknownField(key: string, known: readonly string[], path: ValuePath): Fault {
  const misplaced = Object.hasOwn(places, key) ? places[key] : undefined;
  const similar = nearest(key, known);
  const suggestion = misplaced ?? (similar && [...path, similar].join('.'));
  return { kind: 'unknown-field', path: [...path, key], words: 'unknown', ...(suggestion === undefined ? {} : { suggestion }) };
}

/** base64 as encoding/json of Go reads it. A list of numbers is accepted too. */
function faultsOfBytes(value: unknown, path: ValuePath): Fault[] {
  if (Array.isArray(value)) return [];
  if (typeof value !== 'string') return [wrongType(value, 'a base64 string', path)];
  if (isPlaceholder(value)) return [{ kind: 'placeholder', path: [...path], words: shown(value.trim()).slice(1, -1) }];
  const index = illegalBase64(value);
  if (index === undefined) return [];
  const pem = /-----BEGIN [A-Z ]*PRIVATE KEY/.test(value) ? 'private-key' : 'pem';
  const given = /-----BEGIN /.test(value) ? pem : /\s/.test(value.replace(/[\r\n]/g, '')) ? 'blanks' : 'other';
  return [{ kind: 'not-base64', path: [...path], words: `illegal base64 data at input byte ${index}`, given }];
}

/**
 * The index of the first byte that encoding/base64 of Go refuses. It skips line ends, and no other
 * blanks (decodeQuantum).
 */
export function illegalBase64(text: string): number | undefined {
  const bad = /[^A-Za-z0-9+/\r\n]/.exec(text)?.index ?? text.length;
  const digits = text.slice(0, bad).replace(/[\r\n]/g, '').length % 4;
  const padding = /^=[\r\n]*(=?)[\r\n]*/.exec(text.slice(bad));
  if (bad === text.length) return digits === 0 ? undefined : text.length - digits;
  if (!padding) return bad;
  const needed = digits === 3 ? '' : '=';
  if (digits < 2 || padding[1] !== needed) return bad;
  const end = bad + padding[0].length;
  return end === text.length ? undefined : end;
}
