import { type Code, generalEntry } from '../diagnosis/catalog.ts';
import type { ApiDiagnosis, Diagnosis, Finding, Location } from '../diagnosis/types.ts';
import type { Source } from '../snapshot/types.ts';
import { type FailedRun, failedRunText } from './failed-run.ts';
import { findingText, type NumberedFinding, numberFindings } from './finding-text.ts';
import { escapeTags } from './markdown.ts';
import { encodable } from './markup.ts';
import { sectionsOf } from './sections.ts';

/** Readers identify the format by this schema and by `version`. */
const schema = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

/**
 * The diagnosis as a SARIF 2.1.0 log (OASIS, Static Analysis Results Interchange Format): a rule
 * for each code, a result for each finding, a notification for each check that did not run.
 * Fingerprints of results are stable across runs.
 */
export function diagnosisSarif(diagnosis: Diagnosis): string {
  const { source, takenAt, verdict, failure } = diagnosis;
  const apis = sectionsOf(diagnosis);
  const codes = [...new Set(apis.flatMap(({ findings }) => findings.map(({ code }) => code)))];
  // Errors are results. A failure without errors means that checks did not run.
  const isIncomplete = verdict !== 'broken' || apis.some(({ error }) => error !== undefined);
  const incomplete = isIncomplete && failure !== undefined ? [notification('error', failure)] : [];
  return log({
    rules: codes.map(rule),
    executionSuccessful: incomplete.length === 0,
    endTimeUtc: takenAt,
    notifications: [...incomplete, ...apis.flatMap(notChecked)],
    results: apis.flatMap((api) =>
      numberFindings(api.findings)
        // Only in files, the first finding has the places of all.
        .filter(({ finding }) => finding.sameAs === undefined || source.kind === 'cluster')
        .map((each) => result(api, each, source, codes)),
    ),
  });
}

/**
 * A command that ended with an error. `executionSuccessful` is false (3.20.14), so that code
 * scanning does not take the missing results for fixed ones (github/codeql-action, pull request
 * 1393).
 */
export const failedSarif = (run: FailedRun): string =>
  log({
    rules: [],
    executionSuccessful: false,
    endTimeUtc: run.at,
    notifications: [notification('error', ...failedRunText(run))],
    results: [],
  });

interface Run {
  readonly rules: readonly ReturnType<typeof rule>[];
  readonly executionSuccessful: boolean;
  readonly endTimeUtc: string;
  readonly notifications: readonly ReturnType<typeof notification>[];
  readonly results: readonly ReturnType<typeof result>[];
}

function log({ rules, executionSuccessful, endTimeUtc, notifications, results }: Run): string {
  const run = {
    tool: { driver: { name: 'apisvc', rules } },
    invocations: [{ executionSuccessful, endTimeUtc, toolExecutionNotifications: notifications }],
    results,
  };
  return `${JSON.stringify({ $schema: schema, version: '2.1.0', runs: [run] }, undefined, 2)}\n`;
}

function rule(code: Code) {
  const { severity, title, cause, fix } = generalEntry(code);
  return {
    id: code,
    shortDescription: { text: title },
    fullDescription: { text: cause },
    help: {
      text: `${cause}\nFix: ${fix}\nLearn more: apisvc explain ${code}`,
      markdown: `${escapeTags(cause)}\n\n**Fix**: ${escapeTags(fix)}\n\n**Learn more**: \`apisvc explain ${code}\``,
    },
    defaultConfiguration: { level: severity },
  };
}

function result({ name }: ApiDiagnosis, { finding, number }: NumberedFinding, source: Source, codes: readonly Code[]) {
  const { code, severity, title } = finding;
  return {
    ruleId: code,
    ruleIndex: codes.indexOf(code),
    level: severity,
    message: { text: messageText([`${title}.`, ...findingText(finding)]) },
    ...locations(name, finding, source),
    partialFingerprints: { 'apiServiceAndCode/v1': `${encodable(name)} ${code} ${number}` },
  };
}

/** In messages, `[text](target)` is a link (3.11.6). Text from a cluster must not become one. */
const messageText = (texts: readonly string[]): string => texts.map((text) => encodable(text).replaceAll('](', '] (')).join('\n');

/**
 * GitHub code scanning shows a result at its first location, and needs a file there. Without a
 * place, several files are only related locations.
 */
function locations(name: string, { locations: places = [] }: Finding, source: Source) {
  const logicalLocations = [
    { name: encodable(name), fullyQualifiedName: `apiservices.apiregistration.k8s.io/${encodable(name)}`, kind: 'resource' },
  ];
  const [first, ...others] = places.map(physicalLocation);
  if (first) {
    const relatedLocations = others.length > 0 ? { relatedLocations: others.map((each) => ({ physicalLocation: each })) } : {};
    return { locations: [{ physicalLocation: first, logicalLocations }], ...relatedLocations };
  }
  const files = source.kind === 'files' ? source.files.map((file) => ({ artifactLocation: { uri: uriOf(file) } })) : [];
  const [only] = files;
  if (files.length === 1) return { locations: [{ physicalLocation: only, logicalLocations }] };
  const related = files.map((physicalLocation) => ({ physicalLocation }));
  return { locations: [{ logicalLocations }], ...(related.length > 0 ? { relatedLocations: related } : {}) };
}

const physicalLocation = ({ file, line, column }: Location) => ({
  artifactLocation: { uri: uriOf(file === '-' ? 'stdin' : file) },
  region: { startLine: line ?? 1, ...(column === undefined ? {} : { startColumn: column }) },
});

/** A path as a URI reference, relative to the working directory. */
const uriOf = (path: string): string => {
  const uri = encodable(path).replaceAll('\\', '/').split('/').map(encodeURIComponent).join('/');
  return uri.startsWith('/') ? `file://${uri}` : uri;
};

const notChecked = (api: ApiDiagnosis) =>
  api.notChecked.map(({ what, why }) => notification('note', `${api.name}: ${what} not checked: ${why}`));

const notification = (level: 'error' | 'note', ...texts: readonly string[]) => ({ level, message: { text: messageText(texts) } });
