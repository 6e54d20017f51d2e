import type { ChalkInstance } from 'chalk';
import type { ApiDiagnosis, Diagnosis, Finding, Source, Verdict } from '../verify/types.ts';
import { printable } from './printable.ts';

/** The report for people. */
export function diagnosisText(diagnosis: Diagnosis, colors: ChalkInstance): string {
  return diagnosis.apis.map((api) => apiText(api, diagnosis.source, colors)).join('\n');
}

function apiText({ name, verdict, facts, findings, notChecked }: ApiDiagnosis, source: Source, colors: ChalkInstance): string {
  return [
    `${mark(verdict, colors)} ${colors.bold(printable(name))}: ${verdictWords(verdict, findings, source)}`,
    ...facts.map((fact) => `    ${printable(fact)}`),
    ...findings.flatMap((finding) => ['', ...findingLines(finding, colors)]),
    ...(notChecked.length > 0 ? ['', `  ${colors.bold('not checked')}`] : []),
    ...notChecked.map(({ what, why }) => `    ${printable(`${what}: ${why}`)}`),
    '',
  ].join('\n');
}

function mark(verdict: Verdict, { green, red, yellow }: ChalkInstance): string {
  return { healthy: green('✓'), broken: red('✗'), unknown: yellow('?') }[verdict];
}

function verdictWords(verdict: Verdict, findings: readonly Finding[], source: Source): string {
  if (verdict === 'unknown') return 'nothing was seen that would allow a verdict';
  if (verdict === 'broken') return 'broken';
  const warnings = findings.filter(({ severity }) => severity === 'warning').length;
  // Files can't prove that anything works.
  const good = source.kind === 'files' ? 'nothing wrong in the files' : 'healthy';
  return warnings > 0 ? `${good}, with ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}` : good;
}

function findingLines({ code, severity, title, evidence, cause, fix, explains }: Finding, colors: ChalkInstance): string[] {
  const color = severity === 'error' ? colors.red : colors.yellow;
  const row = (label: string, text: string): string => `    ${colors.dim(label.padEnd(9))} ${printable(text)}`;
  return [
    `  ${color(severity)} ${colors.bold(code)}: ${printable(title)}`,
    ...evidence.map((line) => row('seen:', line)),
    row('cause:', cause),
    row('fix:', fix),
    ...explains.flatMap((symptom) => [
      row('explains:', `${symptom.code}: ${symptom.title}`),
      ...symptom.evidence.map((line) => row('', line)),
    ]),
  ];
}
