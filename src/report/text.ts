import type { ChalkInstance } from 'chalk';
import { counted } from '../config/counted.ts';
import { noVerdict } from '../diagnosis/failure.ts';
import { fixParts } from '../diagnosis/fix.ts';
import { locationText } from '../diagnosis/locations.ts';
import type { ApiDiagnosis, Diagnosis, DiagnosisList, Finding } from '../diagnosis/types.ts';
import { printable } from '../pki/printable.ts';
import type { Source } from '../snapshot/types.ts';
import { listFailure } from './clusters.ts';
import { findingCounts } from './finding-text.ts';
import { byReason } from './not-checked.ts';
import { byVerdict, filesSection, isBrief, sectionsOf } from './sections.ts';
import { countLine, failureLine, filesCount, mark, verdictLabel } from './verdict.ts';

/**
 * The report for people. Of several APIs, the healthy ones get one line each. The others come last,
 * next to the prompt. The last line says why the command fails.
 */
export const diagnosisText = (diagnosis: Diagnosis, colors: ChalkInstance): string =>
  `${apisText(diagnosis, colors)}${diagnosis.failure === undefined ? '' : `\n${failureLine(diagnosis.failure, colors)}`}`;

function apisText({ apis, source, files }: Diagnosis, colors: ChalkInstance): string {
  const sections = sectionsOf({ apis, files });
  const [only] = sections;
  if (only && sections.length === 1) return apiText(only, source, colors);
  const whole = sections.filter((api) => !isBrief(api));
  return [
    ...briefLines(sections.filter(isBrief), colors),
    '',
    ...byVerdict(whole, worstLast).map((api) => apiText(api, source, colors)),
    `${colors.bold(countLine(apis, source) + filesCount(files))}\n`,
  ]
    .join('\n')
    .trimStart();
}

const worstLast = ['healthy', 'unknown', 'broken'] as const;

/** Several clusters, one below the other, each under its context. */
export function listText(list: DiagnosisList, colors: ChalkInstance): string {
  const failure = listFailure(list);
  return `${clustersText(list, colors)}${failure === undefined ? '' : `\n${failureLine(failure, colors)}`}`;
}

const clustersText = ({ clusters }: DiagnosisList, colors: ChalkInstance): string =>
  clusters
    .map(({ context, diagnosis, error }) => {
      const server = diagnosis?.source.kind === 'cluster' ? ` (${diagnosis.source.server})` : '';
      const title = colors.bold(colors.underline(`context ${printable(context)}`)) + printable(server);
      const found = diagnosis ? diagnosisText(diagnosis, colors) : `${mark('unknown', colors)} unknown: ${printable(error ?? '')}\n`;
      return `${title}\n\n${found}`;
    })
    .join('\n');

/** kube-apiserver itself serves about thirty APIs, so they are only counted. */
function briefLines(apis: readonly ApiDiagnosis[], colors: ChalkInstance): string[] {
  const backed = apis.filter(({ overview }) => overview.service !== undefined);
  const own = apis.length - backed.length;
  const width = Math.max(0, ...backed.map(({ name }) => printable(name).length));
  return [
    ...(own > 0 ? [`${mark('healthy', colors)} ${counted(own, 'API')} without a Service`] : []),
    ...backed.map(
      ({ name, overview }) =>
        `${mark('healthy', colors)} ${colors.bold(printable(name).padEnd(width))}  ${printable(overview.service ?? '')}`,
    ),
  ];
}

function apiText(api: ApiDiagnosis, source: Source, colors: ChalkInstance): string {
  const { name, verdict, facts, findings, notChecked } = api;
  return [
    `${mark(verdict, colors)} ${colors.bold(printable(name))}: ${verdictText(api, source)}`,
    ...facts.map((fact) => `    ${printable(fact)}`),
    ...findings.flatMap((finding) => ['', ...findingLines(finding, colors)]),
    ...(notChecked.length > 0 ? ['', `  ${colors.bold('not checked')}`] : []),
    ...byReason(notChecked).map(({ what, why }) => `    ${printable(`${what}: ${why}`)}`),
    '',
  ].join('\n');
}

/** A healthy API may still have warnings. */
function verdictText({ name, verdict, findings, notChecked }: ApiDiagnosis, source: Source): string {
  if (name === filesSection) return findingCounts(findings) || `${counted(notChecked.length, 'object')} skipped`;
  if (verdict === 'unknown') return noVerdict;
  const label = verdictLabel(verdict, source);
  return verdict === 'healthy' && findings.length > 0 ? `${label} with ${findingCounts(findings)}` : label;
}

function findingLines(finding: Finding, colors: ChalkInstance): string[] {
  const { code, severity, title, evidence, cause, fix, explains, sameAs } = finding;
  const color = severity === 'error' ? colors.red : colors.yellow;
  const row = (label: string, text: string): string => `    ${colors.dim(label.padEnd(9))} ${text}`;
  const at = (finding.locations ?? []).map(locationText).join(', ');
  if (sameAs !== undefined)
    return [`  ${color(severity)} ${colors.bold(code)}: ${printable(`same as for ${sameAs}${at && `, at ${at}`}`)}`];
  return [
    `  ${color(severity)} ${colors.bold(code)}: ${printable(title)}`,
    ...(at ? [row('at:', printable(at))] : []),
    ...evidence.map((line) => row('seen:', printable(line))),
    row('cause:', printable(cause)),
    ...fixLines(fix, colors).map((line, index) => row(index === 0 ? 'fix:' : '', line)),
    ...explains.flatMap((symptom) => [
      row('explains:', printable(`${symptom.code}: ${symptom.title}`)),
      ...symptom.evidence.map((line) => row('', printable(line))),
    ]),
  ];
}

/** A command gets its own line, so that it can be copied. */
const fixLines = (fix: string, { cyan }: ChalkInstance): string[] =>
  fixParts(fix).map(({ kind, text }) => (kind === 'command' ? cyan(printable(text)) : printable(text)));
