import { text as readStream } from 'node:stream/consumers';
import { diagnose } from '../diagnosis/diagnose.ts';
import { Exit, type ExitCode, UsageError } from '../errors.ts';
import type { ManifestText } from '../manifests/types.ts';
import { readManifests } from '../project/manifests.ts';
import type { DiagnosisFormat } from '../report/formats.ts';
import { offlineSnapshot } from '../snapshot/offline/snapshot.ts';
import { renderDiagnosis } from './report.ts';
import type { Terminal } from './terminal.ts';

/** `apisvc lint`: runs the checks of verify that need no cluster on files. */
export async function lint(flags: { readonly output: DiagnosisFormat }, files: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const texts: ManifestText[] = [];
  for (const file of files) {
    if (file === '-') texts.push({ file, text: await readStream(terminal.stdin) });
    else texts.push(...readManifests(file));
  }
  const { snapshot } = offlineSnapshot(texts, new Date());
  const [fault] = snapshot.files?.faults ?? [];
  if (fault)
    throw new UsageError(`${[fault.file, fault.line, fault.column].filter((part) => part !== undefined).join(':')}: ${fault.words}`);
  if (snapshot.apis.length === 0) {
    throw new UsageError(`no APIService ${files.map((file) => (file === '-' ? 'on standard input' : `in ${file}`)).join(' or ')}`, {
      fix: 'Pass files that contain an APIService, such as the output of apisvc render. Subdirectories are not read.',
    });
  }
  const diagnosis = diagnose(snapshot);
  await terminal.result(await renderDiagnosis(diagnosis, flags.output, terminal));
  return diagnosis.verdict === 'broken' ? Exit.findings : Exit.ok;
}
