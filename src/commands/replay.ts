import { readFileSync } from 'node:fs';
import { text as readStream } from 'node:stream/consumers';
import { diagnose } from '../diagnosis/diagnose.ts';
import type { DiagnoseOptions, Diagnosis } from '../diagnosis/types.ts';
import { UsageError } from '../errors.ts';
import { fileError } from '../project/files.ts';
import { readSnapshot } from '../snapshot/recorded.ts';
import type { Terminal } from './terminal.ts';
import { requireName } from './wanted.ts';

/**
 * Diagnoses a snapshot that `verify --save` has kept, or those of its APIs that are named. Needs no cluster.
 * @param file `-` is standard input
 * @throws UsageError when it can't be read, is no snapshot, or lacks an API that is named
 */
export async function replay(
  file: string,
  given: readonly string[],
  options: DiagnoseOptions,
  { stdin }: Pick<Terminal, 'stdin'>,
): Promise<Diagnosis> {
  const snapshot = readSnapshot(file, file === '-' ? await readStream(stdin) : readFile(file));
  if (snapshot.apis.length === 0) throw new UsageError(`${file} has nothing of any APIService`);
  const names = given.map(requireName);
  const known = snapshot.apis.map(({ name }) => name);
  const missing = names.filter((name) => !known.includes(name));
  if (missing.length > 0) {
    throw new UsageError(`${file} has nothing of ${missing.join(', ')}`, {
      fix: `It has ${known.slice(0, 20).join(', ')}.`,
    });
  }
  return diagnose(names.length === 0 ? snapshot : { ...snapshot, apis: snapshot.apis.filter(({ name }) => names.includes(name)) }, options);
}

function readFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw fileError('read', file, cause);
  }
}
