import { noVerdict } from '../diagnosis/failure.ts';
import { fixParts } from '../diagnosis/fix.ts';
import { locationText } from '../diagnosis/locations.ts';
import type { ApiDiagnosis, Diagnosis, Finding, Location, NotChecked } from '../diagnosis/types.ts';
import type { Source } from '../snapshot/types.ts';
import { type FailedRun, failedRunText } from './failed-run.ts';
import { findingCounts, findingText } from './finding-text.ts';
import { codeBlock, codeSpan, escapeMarkdown } from './markdown.ts';
import { encodable, escaped } from './markup.ts';
import { placesOf, type Section, sectionsOf } from './sections.ts';
import { headline, verdictLabel } from './verdict.ts';

export interface GithubReport {
  /** Workflow commands, one a line, for stdout. */
  readonly annotations: string;
  /** Markdown for the file that GITHUB_STEP_SUMMARY names. */
  readonly summary: string;
}

/**
 * The diagnosis for GitHub Actions: an annotation for each finding, and a step summary. Errors come
 * first, because a step shows only ten annotations of each level.
 */
export function diagnosisGithub(diagnosis: Diagnosis): GithubReport {
  const commands = sectionsOf(diagnosis).flatMap((api) => annotationsOf(api, diagnosis));
  const ordered = levels.flatMap((level) => commands.filter((command) => command.level === level));
  return { annotations: ordered.map(formatCommand).join(''), summary: summaryOf(diagnosis) };
}

/** A command that ended with an error, as an annotation. */
export const failedGithub = (run: FailedRun): string =>
  formatCommand({ level: 'error', title: `apisvc ${run.command}`, lines: failedRunText(run), place: undefined });

const levels = ['error', 'warning', 'notice'] as const;

interface Annotation {
  readonly level: (typeof levels)[number];
  readonly title: string;
  readonly lines: readonly string[];
  /** Of a file that GitHub can show. */
  readonly place: Location | undefined;
}

function annotationsOf(
  { name, verdict, findings, notChecked, location, error = noVerdict }: Section,
  { source, failure }: Diagnosis,
): readonly Annotation[] {
  const [file, ...others] = source.kind === 'files' ? source.files : [];
  const only = file !== undefined && others.length === 0 ? { file } : undefined;
  const [place] = placesOf([location ?? only ?? []].flat());
  const found = findings
    .filter(({ sameAs }) => sameAs === undefined)
    .map((finding) => ({
      level: finding.severity,
      title: `${name}: ${finding.code}`,
      lines: [finding.title, ...findingText(finding)],
      place: placesOf(finding.locations)[0] ?? place,
    }));
  const unseen = notChecked.map(({ what, why }) => `${what}: ${why}`);
  return [
    ...(verdict === 'unknown'
      ? [{ level: failure === undefined ? ('warning' as const) : ('error' as const), title: `${name}: unknown`, lines: [error], place }]
      : []),
    ...found,
    ...(unseen.length > 0 ? [{ level: 'notice' as const, title: `${name}: not checked`, lines: unseen, place }] : []),
  ];
}

/**
 * actions/toolkit, packages/core/src/command.ts: percent signs and line ends are escaped. In
 * properties, colons and commas are escaped too.
 */
const escapedData = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const escapedProperty = (text: string): string => escapedData(encodable(text)).replaceAll(':', '%3A').replaceAll(',', '%2C');

function formatCommand({ level, title, lines, place }: Annotation): string {
  const at = place
    ? [
        `file=${escapedProperty(place.file)}`,
        ...(place.line ? [`line=${place.line}`] : []),
        ...(place.column ? [`col=${place.column}`] : []),
        '',
      ]
    : [];
  return `::${level} ${at.join(',')}title=${escapedProperty(title)}::${escapedData(lines.map(encodable).join('\n'))}\n`;
}

/**
 * GitHub rejects summaries of more than 1 MiB (docs, "Workflow commands", step isolation and
 * limits).
 */
const summaryLimit = 1_000_000;

function summaryOf(diagnosis: Diagnosis): string {
  const { source } = diagnosis;
  const apis = sectionsOf(diagnosis);
  const table = ['| | API | Verdict | Findings |', '| --- | --- | --- | --- |', ...apis.map((api) => row(api, source))];
  const sections = [[`## ${escapeMarkdown(headline(diagnosis))}`, '', ...(apis.length > 0 ? table : []), ''].join('\n')];
  let left = summaryLimit - Buffer.byteLength(sections[0] ?? '');
  for (const api of apis) {
    const section = detailsOf(api).join('\n');
    left -= Buffer.byteLength(section);
    if (left < 0) return `${sections.join('')}\nThe summary is truncated: it exceeds the GitHub size limit.\n`;
    sections.push(section);
  }
  return sections.join('');
}

const mark = { healthy: '✅', broken: '❌', unknown: '❔' } as const;

const row = (api: ApiDiagnosis, source: Source): string =>
  `| ${mark[api.verdict]} | ${codeSpan(api.name)} | ${verdictLabel(api.verdict, source)} | ${findingCounts(api.findings) || 'none'} |`;

/** The section of an API below the table; empty without findings. */
function detailsOf({ name, findings, notChecked }: ApiDiagnosis): readonly string[] {
  if (findings.length + notChecked.length === 0) return [];
  const open = findings.some(({ severity }) => severity === 'error') ? ' open' : '';
  return [
    '',
    `<details${open}><summary><code>${escaped(name)}</code></summary>`,
    '',
    ...findings.flatMap(findingLines),
    ...notCheckedLines(notChecked),
    '</details>',
    '',
  ];
}

const findingLines = ({ code, severity, title, evidence, cause, fix, explains, locations = [] }: Finding): readonly string[] => [
  `### ${severity === 'error' ? '❌' : '⚠️'} ${code}`,
  '',
  escapeMarkdown(title),
  '',
  ...(locations.length > 0 ? [`**At**: ${locations.map((place) => codeSpan(locationText(place))).join(', ')}`, ''] : []),
  ...(evidence.length > 0 ? [...codeBlock(evidence), ''] : []),
  `**Cause**: ${escapeMarkdown(cause)}`,
  '',
  '**Fix**:',
  ...fixParts(fix).flatMap(({ kind, text }) => (kind === 'command' ? ['', ...codeBlock([text])] : ['', escapeMarkdown(text)])),
  '',
  ...explains.map((symptom) => `- explains ${codeSpan(symptom.code)}: ${escapeMarkdown(symptom.title)}`),
  ...(explains.length > 0 ? [''] : []),
];

const notCheckedLines = (notChecked: readonly NotChecked[]): readonly string[] =>
  notChecked.length === 0
    ? []
    : ['### Not checked', '', ...notChecked.map(({ what, why }) => `- ${escapeMarkdown(what)}: ${escapeMarkdown(why)}`), ''];
