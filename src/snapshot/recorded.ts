import type * as z from 'zod';
import { pathText } from '../config/path-text.ts';
import { shown } from '../config/shown.ts';
import { UsageError } from '../errors.ts';
import { snapshotSchema } from './schema.ts';
import type { Snapshot } from './types.ts';

const fix = 'Pass a file that apisvc verify --save wrote.';

/**
 * Reads a saved snapshot from an untrusted source. Every value is checked, and certificates are
 * read again from their PEM.
 * @param file the name of the file, for errors
 * @throws UsageError with the first fault
 */
export function readSnapshot(file: string, text: string): Snapshot {
  const json = parse(file, text);
  const version = typeof json === 'object' && json !== null && 'apiVersion' in json ? json.apiVersion : undefined;
  if (version !== undefined && version !== snapshotSchema.shape.apiVersion.value) {
    throw new UsageError(`${file} is not a snapshot of this version: its apiVersion is ${shown(version)}`, { fix });
  }
  const { success, data, error } = snapshotSchema.safeParse(json);
  if (success) return data;
  throw new UsageError(`${file} is not a snapshot: ${describeIssue(error.issues[0])}`, { fix });
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${file} is not a snapshot: it is not JSON`, { fix, cause });
  }
}

function describeIssue(issue: z.core.$ZodIssue | undefined): string {
  const { path = [], message = '' } = issue ?? {};
  const text = message.replace(/^Invalid (input|option): /, '').replace(/^expected .*, received undefined$/, 'it is missing');
  return path.length === 0 ? text : `${pathText(path)}: ${text}`;
}
