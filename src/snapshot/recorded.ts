import type * as z from 'zod';
import { pathText } from '../config/keys.ts';
import { shown } from '../config/shown.ts';
import { UsageError } from '../errors.ts';
import { snapshotSchema } from './schema.ts';
import type { Snapshot } from './types.ts';

const fix = 'A snapshot is what apisvc verify --save FILE has written.';

/**
 * Reads a snapshot that was kept as JSON, from anywhere: every value is checked, and what a certificate says is read from its bytes.
 * @param file its name, for the error
 * @throws UsageError with the first thing that is wrong
 */
export function readSnapshot(file: string, text: string): Snapshot {
  const json = parse(file, text);
  const version = typeof json === 'object' && json !== null && 'apiVersion' in json ? json.apiVersion : undefined;
  if (version !== undefined && version !== snapshotSchema.shape.apiVersion.value) {
    throw new UsageError(`${file} is no snapshot that this version can read: its apiVersion is ${shown(version)}`, { fix });
  }
  const { success, data, error } = snapshotSchema.safeParse(json);
  if (success) return data;
  throw new UsageError(`${file} is no snapshot: ${wordsOf(error.issues[0])}`, { fix });
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${file} is no snapshot: it is not JSON`, { fix, cause });
  }
}

function wordsOf(issue: z.core.$ZodIssue | undefined): string {
  const { path = [], message = '' } = issue ?? {};
  const words = message.replace(/^Invalid (input|option): /, '').replace(/^expected .*, received undefined$/, 'it is missing');
  return path.length === 0 ? words : `${pathText(path)}: ${words}`;
}
