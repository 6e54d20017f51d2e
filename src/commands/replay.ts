import { reading } from '../config/file-errors.ts';
import { readFile } from '../config/pipes.ts';
import { diagnose } from '../diagnosis/diagnose.ts';
import type { DiagnoseOptions, Diagnosis } from '../diagnosis/types.ts';
import { UsageError } from '../errors.ts';
import { readSnapshot } from '../snapshot/recorded.ts';
import { parseName } from './selection.ts';
import { readPipes, readStandardInput } from './standard-input.ts';
import type { Terminal } from './terminal.ts';

/**
 * Diagnoses the snapshot that `verify --save` wrote, or only the named APIs of it, without a
 * cluster.
 * @param file - `-` is standard input
 * @throws UsageError if it cannot be read, is not a snapshot, or lacks a named API
 */
export async function replay(
  file: string,
  given: readonly string[],
  options: DiagnoseOptions,
  terminal: Pick<Terminal, 'stdin' | 'interrupt'>,
): Promise<Diagnosis> {
  const snapshot = readSnapshot(file, await textOf(file, terminal));
  if (snapshot.apis.length === 0) throw new UsageError(`no APIService ${place(file)}`);
  const names = given.map(parseName);
  const known = snapshot.apis.map(({ name }) => name);
  const missing = names.filter((name) => !known.includes(name));
  if (missing.length > 0) {
    throw new UsageError(`no APIService ${missing.join(', ')} ${place(file)}`, {
      fix: `Use one of: ${known.slice(0, 20).join(', ')}.`,
    });
  }
  return diagnose(names.length === 0 ? snapshot : { ...snapshot, apis: snapshot.apis.filter(({ name }) => names.includes(name)) }, options);
}

const place = (file: string): string => (file === '-' ? 'on standard input' : `in ${file}`);

async function textOf(file: string, terminal: Pick<Terminal, 'stdin' | 'interrupt'>): Promise<string> {
  if (file === '-') return readStandardInput(terminal);
  await readPipes([file], terminal);
  return reading(file, () => readFile(file)).toString();
}
