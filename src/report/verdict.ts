import type { ChalkInstance } from 'chalk';
import { counted } from '../config/counted.ts';
import type { ApiDiagnosis, Diagnosis, Verdict } from '../diagnosis/types.ts';
import { printable } from '../pki/printable.ts';
import type { Source } from '../snapshot/types.ts';
import { findingCounts } from './finding-text.ts';

/** A verdict as one character. The color only repeats it. */
export const mark = (verdict: Verdict, { green, red, yellow }: ChalkInstance): string =>
  ({ healthy: green('✓'), broken: red('✗'), unknown: yellow('?') })[verdict];

/** The verdict as a word. Files cannot prove that an API is healthy, so they pass. */
export const verdictLabel = (verdict: Verdict, { kind }: Pick<Source, 'kind'>): string =>
  verdict === 'healthy' && kind === 'files' ? 'passes' : verdict;

/** The last line of a report that makes the command fail. */
export const failureLine = (failure: string, { red }: ChalkInstance): string => `${red('failed:')} ${printable(failure)}\n`;

/** The codes of an API's findings, without those of symptoms. */
export const codesOf = ({ findings }: ApiDiagnosis): string[] => findings.map(({ code }) => code);

/** `(3 not checked)`, for formats without room for the list. */
export const notCheckedCount = ({ notChecked }: ApiDiagnosis): string[] =>
  notChecked.length > 0 ? [`(${notChecked.length} not checked)`] : [];

/** `12 APIs: 10 healthy, 1 broken, 1 unknown` */
export function countLine(apis: readonly ApiDiagnosis[], source: Source): string {
  const counts = (['healthy', 'broken', 'unknown'] as const).flatMap((verdict) => {
    const count = apis.filter((api) => api.verdict === verdict).length;
    return count > 0 ? [`${count} ${verdict === 'healthy' && source.kind === 'files' ? 'passed' : verdict}`] : [];
  });
  return `${counted(apis.length, 'API')}: ${counts.join(', ')}`;
}

/** A diagnosis in one line. */
export function headline({ apis, source, files }: Diagnosis): string {
  const [only] = apis;
  return only && apis.length === 1 && !files?.findings.length
    ? `${only.name}: ${verdictLabel(only.verdict, source)}`
    : countLine(apis, source) + filesCount(files);
}

/** `; 1 error in files`: what the verdicts of the APIs do not show. */
export const filesCount = (files: Diagnosis['files']): string =>
  files && files.findings.length > 0 ? `; ${findingCounts(files.findings)} in files` : '';
