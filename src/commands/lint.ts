import { text as readStream } from 'node:stream/consumers';
import { diagnose } from '../diagnosis/diagnose.ts';
import { Exit, type ExitCode, UsageError } from '../errors.ts';
import type { ManifestText } from '../manifests/types.ts';
import { readManifests } from '../project/manifests.ts';
import type { LintFormat } from '../report/formats.ts';
import { offlineSnapshot } from '../snapshot/offline.ts';
import { renderDiagnosis } from './report.ts';
import type { Terminal } from './terminal.ts';

/** `apisvc lint`: the checks of verify on files, as far as files tell. */
export async function lint(flags: { readonly output: LintFormat }, files: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const texts: ManifestText[] = [];
  for (const file of files) {
    if (file === '-') texts.push({ file, text: await readStream(terminal.stdin) });
    else texts.push(...readManifests(file));
  }
  const snapshot = offlineSnapshot(texts, new Date());
  if (snapshot.apis.length === 0) {
    throw new UsageError(`no APIService in ${files.join(', ')}`, {
      fix: 'Give the manifests of a registration, as apisvc render prints them; directories below a directory are not looked at.',
    });
  }
  const diagnosis = diagnose(snapshot);
  await terminal.result(await renderDiagnosis(diagnosis, flags.output, terminal));
  return diagnosis.verdict === 'broken' ? Exit.findings : Exit.ok;
}
