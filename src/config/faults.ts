import type { Document } from 'yaml';
import type * as z from 'zod';
import { unknownKey } from './keys.ts';
import { keyOffset, offsetOf, placeOf } from './locate.ts';
import { choiceText, messageOf, valueText, wrongValue } from './messages.ts';

/** One thing wrong with a document, at an offset of its text. */
export interface Fault {
  readonly path: readonly PropertyKey[];
  readonly offset: number;
  readonly message: string;
  /** A key that the mapping at `path` does not know. */
  readonly unknownKey?: true;
}

type Issue = z.core.$ZodIssue;

/**
 * The faults of the branch that the value was meant for, which fails deeper than at its type.
 * Without such a branch, one fault that lists all types.
 */
function unionFaults(document: Document, { path, errors }: z.core.$ZodIssueInvalidUnion): Fault[] {
  const isTypeOf = ({ code, path: at }: Issue) => at.length === 0 && (code === 'invalid_type' || code === 'invalid_value');
  const [meant, ...others] = errors.filter((branch) => !branch.some(isTypeOf));
  if (meant && others.length === 0) return meant.flatMap((issue) => faultsOf(document, { ...issue, path: [...path, ...issue.path] }));
  const message = `must be ${choiceText(errors.flat())}, not ${valueText(document, path)}`;
  return [{ path, offset: offsetOf(document, path), message }];
}

/** A missing or unknown `type` of a mapping whose other keys depend on it. */
function discriminatorFault(document: Document, path: readonly PropertyKey[], types: readonly unknown[]): Fault {
  if (!placeOf(document, path)) return missingKey(document, path);
  return { path, offset: offsetOf(document, path), message: wrongValue(document, path, types) };
}

function missingKey(document: Document, path: readonly PropertyKey[]): Fault {
  const parent = path.slice(0, -1);
  return { path: parent, offset: offsetOf(document, parent), message: `missing key "${String(path.at(-1))}"` };
}

/** The faults of one issue of the schema, at their offsets in the file. */
export function faultsOf(document: Document, issue: Issue): Fault[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path,
      offset: keyOffset(document, [...path, key]),
      message: unknownKey(path, key),
      unknownKey: true,
    }));
  }
  if (path.length > 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value') && !placeOf(document, path)) {
    return [missingKey(document, path)];
  }
  // The value is valid, but its key is not allowed here.
  if (issue.code === 'custom' && issue.params?.about === 'key')
    return [{ path, offset: keyOffset(document, path), message: issue.message }];
  if (issue.code === 'invalid_union' && 'options' in issue && issue.options) return [discriminatorFault(document, path, issue.options)];
  if (issue.code === 'invalid_union') return unionFaults(document, issue);
  return [{ path, offset: offsetOf(document, path), message: messageOf(document, issue) }];
}
