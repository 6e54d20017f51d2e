import type { ApiDiagnosis, Diagnosis, Finding } from '../diagnosis/types.ts';
import type { Source } from '../snapshot/types.ts';
import { countLine } from './verdict.ts';

/** A finding as lines of plain text, for what has no structure of its own: its evidence, cause, fix, and the symptoms that it explains. */
export const findingWords = ({ evidence, cause, fix, explains }: Finding): readonly string[] => [
  ...evidence.map((line) => `seen: ${line}`),
  `cause: ${cause}`,
  `fix: ${fix}`,
  ...explains.map(({ code, title }) => `explains: ${code}: ${title}`),
];

/** A finding, and the how manieth of its code it is: code and number name it from one run to the next, where titles hold dates and addresses. */
export interface NumberedFinding {
  readonly finding: Finding;
  /** From 1. */
  readonly number: number;
}

/** Numbers the findings of an API within each code. */
export const numbered = (findings: readonly Finding[]): readonly NumberedFinding[] =>
  findings.map((finding, at) => ({ finding, number: findings.slice(0, at + 1).filter(({ code }) => code === finding.code).length }));

/** `1 error, 2 warnings`; empty without findings. */
export const countWords = (findings: readonly Finding[]): string =>
  (['error', 'warning'] as const)
    .map((severity) => [severity, findings.filter((finding) => finding.severity === severity).length] as const)
    .filter(([, count]) => count > 0)
    .map(([severity, count]) => `${count} ${severity}${count === 1 ? '' : 's'}`)
    .join(', ');

/** What a diagnosis comes to, in one line. */
export function headline({ apis, source }: Diagnosis): string {
  const [only] = apis;
  return only && apis.length === 1 ? `${only.name}: ${verdictOf(only, source.kind)}` : countLine(apis, source);
}

/** The verdict in a word or two. */
export const verdictOf = ({ verdict }: ApiDiagnosis, source: Source['kind']): string =>
  verdict === 'healthy' ? goodWord(source) : verdict;

/** Files can't prove that anything works. */
const goodWord = (source: Source['kind']): string => (source === 'files' ? 'nothing wrong in the files' : 'healthy');

/** Why there is no verdict. */
export const noVerdict = 'nothing was seen that would allow a verdict';
