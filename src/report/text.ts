import type { ChalkInstance } from 'chalk';
import { fixParts } from '../diagnosis/fix.ts';
import type { ApiDiagnosis, Diagnosis, DiagnosisList, Finding, Verdict } from '../diagnosis/types.ts';
import type { Source } from '../snapshot/types.ts';
import { printable } from './printable.ts';
import { countLine, mark } from './verdict.ts';

/** The report for people. Of several APIs those in order get one line each, and the others come last, where the eye is when it is printed. */
export function diagnosisText({ apis, source }: Diagnosis, colors: ChalkInstance): string {
  const [only] = apis;
  if (only && apis.length === 1) return apiText(only, source, colors);
  const whole = apis.filter((api) => !isBrief(api));
  return [
    ...briefLines(apis.filter(isBrief), colors),
    '',
    ...byVerdict(whole).map((api) => apiText(api, source, colors)),
    `${colors.bold(countLine(apis, source))}\n`,
  ]
    .join('\n')
    .trimStart();
}

/** Several clusters, one beneath the other, each under its context. */
export const listText = ({ clusters }: DiagnosisList, colors: ChalkInstance): string =>
  clusters
    .map(({ context, diagnosis, error }) => {
      const server = diagnosis?.source.kind === 'cluster' ? ` (${diagnosis.source.server})` : '';
      const title = colors.bold(colors.underline(`context ${printable(context)}`)) + printable(server);
      const found = diagnosis ? diagnosisText(diagnosis, colors) : `${mark('unknown', colors)} unknown: ${printable(error ?? '')}\n`;
      return `${title}\n\n${found}`;
    })
    .join('\n');

/** Nothing to say but that it works. */
const isBrief = ({ verdict, findings, notChecked }: ApiDiagnosis): boolean =>
  verdict === 'healthy' && findings.length === 0 && notChecked.length === 0;

/** kube-apiserver serves some thirty APIs itself; they are counted. */
function briefLines(apis: readonly ApiDiagnosis[], colors: ChalkInstance): string[] {
  const backed = apis.filter(({ overview }) => overview.service !== undefined);
  const own = apis.length - backed.length;
  const width = Math.max(0, ...backed.map(({ name }) => printable(name).length));
  return [
    ...(own > 0 ? [`${mark('healthy', colors)} ${own} ${own === 1 ? 'API' : 'APIs'} without a Service`] : []),
    ...backed.map(
      ({ name, overview }) =>
        `${mark('healthy', colors)} ${colors.bold(printable(name).padEnd(width))}  ${printable(overview.service ?? '')}`,
    ),
  ];
}

/** Healthy ones with a remark, then what is not known, then what is broken. */
const byVerdict = (apis: readonly ApiDiagnosis[]): ApiDiagnosis[] =>
  (['healthy', 'unknown', 'broken'] as const).flatMap((verdict) => apis.filter((api) => api.verdict === verdict));

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
  const row = (label: string, text: string): string => `    ${colors.dim(label.padEnd(9))} ${text}`;
  return [
    `  ${color(severity)} ${colors.bold(code)}: ${printable(title)}`,
    ...evidence.map((line) => row('seen:', printable(line))),
    row('cause:', printable(cause)),
    ...fixLines(fix, colors).map((line, index) => row(index === 0 ? 'fix:' : '', line)),
    ...explains.flatMap((symptom) => [
      row('explains:', printable(`${symptom.code}: ${symptom.title}`)),
      ...symptom.evidence.map((line) => row('', printable(line))),
    ]),
  ];
}

/** A command has a line of its own, so that it can be copied whole. */
const fixLines = (fix: string, { cyan }: ChalkInstance): string[] =>
  fixParts(fix).map(({ kind, text }) => (kind === 'command' ? cyan(printable(text)) : printable(text)));
