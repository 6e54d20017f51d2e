import { appendFileSync } from 'node:fs';
import type { Diagnosis, DiagnosisList } from '../diagnosis/types.ts';
import { fileError } from '../project/files.ts';
import type { DiagnosisFormat, ListFormat } from '../report/formats.ts';
import type { Terminal } from './terminal.ts';

type Context = Pick<Terminal, 'outColors' | 'env'>;

/**
 * Puts a diagnosis into the format that was asked for; only that reporter is loaded. `github` also appends its summary to the file that GitHub Actions
 * names in GITHUB_STEP_SUMMARY.
 * @throws UsageError when that file can't be written
 */
export async function renderDiagnosis(diagnosis: Diagnosis, format: DiagnosisFormat, { outColors, env }: Context): Promise<string> {
  switch (format) {
    case 'text':
      return (await import('../report/text.ts')).diagnosisText(diagnosis, outColors);
    case 'wide':
      return (await import('../report/wide.ts')).diagnosisWide(diagnosis, outColors);
    case 'short':
      return (await import('../report/short.ts')).diagnosisShort(diagnosis, outColors);
    case 'json':
      return (await import('../report/json.ts')).diagnosisJson(diagnosis);
    case 'yaml':
      return (await import('../report/yaml.ts')).diagnosisYaml(diagnosis);
    case 'junit':
      return (await import('../report/junit.ts')).diagnosisJunit(diagnosis);
    case 'sarif':
      return (await import('../report/sarif.ts')).diagnosisSarif(diagnosis);
    case 'html':
      return (await import('../report/html.ts')).diagnosisHtml(diagnosis);
    case 'github':
      return github(diagnosis, env);
  }
}

/** Several clusters in a format that can show them side by side. */
export async function renderList(list: DiagnosisList, format: ListFormat, { outColors }: Context): Promise<string> {
  switch (format) {
    case 'text':
      return (await import('../report/text.ts')).listText(list, outColors);
    case 'wide':
      return (await import('../report/wide.ts')).listWide(list, outColors);
    case 'short':
      return (await import('../report/short.ts')).listShort(list, outColors);
    case 'json':
      return (await import('../report/json.ts')).diagnosisJson(list);
    case 'yaml':
      return (await import('../report/yaml.ts')).diagnosisYaml(list);
  }
}

async function github(diagnosis: Diagnosis, { GITHUB_STEP_SUMMARY: file }: NodeJS.ProcessEnv): Promise<string> {
  const { annotations, summary } = (await import('../report/github.ts')).diagnosisGithub(diagnosis);
  try {
    if (file) appendFileSync(file, summary);
  } catch (cause) {
    throw fileError('write', file ?? '', cause);
  }
  return annotations;
}
