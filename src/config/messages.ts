import { type Document, isScalar, isSeq, type Scalar } from 'yaml';
import type * as z from 'zod';
import { unitMissing } from './duration.ts';
import { issuerTypes } from './issuer-flags.ts';
import { placeOf } from './locate.ts';
import { nearest } from './nearest.ts';
import { shown } from './shown.ts';

type Issue = z.core.$ZodIssue;

const typeNames: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

/** A value as the file has it, with its type: `the string "443"`, `the number 1.20`, `a list`. */
export function valueText(document: Document, path: readonly PropertyKey[]): string {
  const node = placeOf(document, path)?.value;
  if (!isScalar(node)) return isSeq(node) ? 'a list' : 'a mapping';
  if (node.value === null) return 'nothing';
  if (typeof node.value === 'string') return `the string ${shown(node.value)}`;
  return typeof node.value === 'number' ? `the number ${node.source ?? node.value}` : shown(node.value);
}

/**
 * How to write the value that was probably meant: with or without quotes, or as a YAML 1.2 boolean.
 */
function typeHint(document: Document, path: readonly PropertyKey[], expected: string): string {
  const node = placeOf(document, path)?.value;
  if (!isScalar(node)) return '';
  const { value, source } = node;
  if (expected === 'string' && value !== null && source) return `; put it in quotes: ${shown(source)}`;
  if (typeof value !== 'string') return '';
  if (expected === 'number' && /^-?\d+$/.test(value)) return '; remove the quotes';
  if (expected === 'boolean' && /^(y|yes|on|true)$/i.test(value)) return '; write true';
  if (expected === 'boolean' && /^(n|no|off|false)$/i.test(value)) return '; write false';
  return '';
}

/** The new form of a value that was not a mapping in earlier versions. */
function newForm(document: Document, path: readonly PropertyKey[]): string | undefined {
  const node = placeOf(document, path)?.value;
  if (path.join('.') === 'spec.server.existing.deployment.args') return '; list the changes only: args: {add: [...], replace: [...]}';
  const type = path.join('.') === 'spec.certificates.issuer' && isScalar(node) ? node.value : undefined;
  return issuerTypes.some((known) => known === type) ? `; write issuer: {type: ${type}}` : undefined;
}

/** A lifetime that YAML reads as a number. */
const isBareNumber = (node: unknown, path: readonly PropertyKey[]): node is Scalar =>
  isScalar(node) && typeof node.value === 'number' && /lifetime$/i.test(String(path.at(-1))) && /^\d+$/.test(node.source ?? '');

function wrongType(document: Document, path: readonly PropertyKey[], expected: string): string {
  const node = placeOf(document, path)?.value;
  if (isBareNumber(node, path)) return `invalid value ${node.source}: ${unitMissing(node.source ?? '')}`;
  const type = typeNames[expected] ?? expected;
  const hint = newForm(document, path) ?? typeHint(document, path, expected);
  return `must be ${type}, not ${valueText(document, path)}${hint}`;
}

/** The message for a value that is not one of those allowed. */
export function wrongValue(document: Document, path: readonly PropertyKey[], values: readonly unknown[]): string {
  const value = placeOf(document, path)?.value;
  const text = isScalar(value) && typeof value.value === 'string' ? value.value : '';
  const names = values.map(String);
  const meant = names.length > 1 ? nearest(text, names) : undefined;
  const choice = names.length === 1 ? names[0] : `one of ${names.join(', ')}`;
  return `must be ${choice}, not ${valueText(document, path)}${meant ? `; did you mean "${meant}"?` : ''}`;
}

/** The message for a number, text or list outside its limits. */
function outOfBounds(document: Document, issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  const [side, limit] = issue.code === 'too_small' ? ['at least', issue.minimum] : ['at most', issue.maximum];
  if (issue.origin === 'number' || issue.origin === 'int') return `must be ${side} ${limit}, not ${valueText(document, issue.path)}`;
  return limit === 1 && side === 'at least' ? 'must not be empty' : `must have ${side} ${limit} entries`;
}

/** The types that a union accepts, from the issues of its branches: `a mapping or false`. */
export function choiceText(issues: readonly Issue[]): string {
  const types = issues.flatMap((issue) => {
    if (issue.code === 'invalid_type') return [typeNames[issue.expected] ?? issue.expected];
    return issue.code === 'invalid_value' ? issue.values.map(String) : [];
  });
  return [...new Set(types)].join(' or ');
}

/** The message for one issue of the schema, about the value at its path. */
export function messageOf(document: Document, issue: Issue): string {
  const { path } = issue;
  const value = placeOf(document, path)?.value;
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(document, path, issue.expected);
    case 'invalid_value':
      return wrongValue(document, path, issue.values);
    case 'too_small':
    case 'too_big':
      return outOfBounds(document, issue);
    default:
      return isScalar(value) ? `invalid value ${shown(value.value)}: ${issue.message}` : issue.message;
  }
}
