import { appendFileSync } from 'node:fs';
import { fileError } from '../config/file-errors.ts';
import type { Diagnosis, DiagnosisList } from '../diagnosis/types.ts';
import { type DiagnosisFormat, formatOf, formats } from '../report/formats.ts';
import type { Terminal } from './terminal.ts';

type Context = Pick<Terminal, 'outColors' | 'env'>;

/**
 * Renders a diagnosis in the requested format. In GitHub Actions, a format with a step summary also
 * appends it to the file that GITHUB_STEP_SUMMARY names.
 * @throws UsageError when that file cannot be written
 */
export async function renderDiagnosis(diagnosis: Diagnosis, format: DiagnosisFormat, { outColors, env }: Context): Promise<string> {
  const { stepSummary } = formatOf(format);
  const { GITHUB_STEP_SUMMARY: file } = env;
  if (stepSummary && file) append(file, await stepSummary(diagnosis));
  return formats[format].diagnosis(diagnosis, outColors);
}

/** The same for the diagnoses of several clusters. */
export async function renderList(list: DiagnosisList, format: DiagnosisFormat, { outColors, env }: Context): Promise<string> {
  const { listSummary } = formatOf(format);
  const at = new Date().toISOString();
  const { GITHUB_STEP_SUMMARY: file } = env;
  if (listSummary && file) append(file, await listSummary(list, at));
  return formats[format].list(list, outColors, at);
}

function append(file: string, text: string): void {
  try {
    appendFileSync(file, text);
  } catch (cause) {
    throw fileError('write', file, cause, 'Set GITHUB_STEP_SUMMARY to a writable file.');
  }
}
