import { basename, dirname } from 'node:path';
import { redacted } from '../config/redact.ts';
import { shellWord } from '../config/shell-word.ts';
import { diagnose } from '../diagnosis/diagnose.ts';
import { fixParts } from '../diagnosis/fix.ts';
import { locationText } from '../diagnosis/locations.ts';
import type { DiagnoseOptions, Diagnosis } from '../diagnosis/types.ts';
import { Exit, type ExitCode, UsageError } from '../errors.ts';
import type { ManifestText } from '../manifests/types.ts';
import { readManifests, type Unread } from '../project/manifests.ts';
import { isProject } from '../project/project.ts';
import type { DiagnosisFormat } from '../report/formats.ts';
import { offlineSnapshot } from '../snapshot/offline/snapshot.ts';
import { projectSnapshot } from './lint-project.ts';
import { renderDiagnosis } from './report.ts';
import { readPipes, readStandardInput } from './standard-input.ts';
import type { Terminal } from './terminal.ts';

export interface LintFlags {
  readonly output: DiagnosisFormat;
  readonly directory: string;
  /** Further files, from -f. */
  readonly filename?: readonly string[];
  readonly recursive?: boolean;
  readonly strict?: boolean;
  readonly failOn: 'error' | 'warning' | 'never';
}

/** `apisvc lint`: runs the checks of verify that need no cluster on files. */
export async function lint(flags: LintFlags, given: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const paths = [...new Set([...given, ...(flags.filename ?? [])])];
  const now = new Date();
  const options = { strict: flags.strict ?? false, warningsAreErrors: flags.failOn === 'warning' };
  if (paths.length === 0) return lintProject(flags.directory, flags, options, terminal);
  if (flags.directory !== '.')
    throw new UsageError('-C cannot be used with files', { fix: 'Remove -C, or run the command without files to check the project.' });
  const { texts, unread } = await readAll(paths, flags.recursive ?? false, terminal);
  const { snapshot, place } = offlineSnapshot(
    texts,
    now,
    unread.map(({ fault }) => fault),
  );
  const diagnosis = diagnose(snapshot, { ...options, place });
  const project = diagnosis.apis.length === 0 && unread.length === 0 && paths.length === 1 ? projectAt(paths[0] ?? '') : undefined;
  if (project !== undefined) return lintProject(project, flags, options, terminal);
  if (diagnosis.apis.length > 0) return report(diagnosis, flags, terminal);
  // People read the errors. Programs get them in their format.
  if (flags.output === 'text' || flags.output === 'short' || noFaults(diagnosis)) {
    throw isEmpty(texts) ? noInput() : nothingToCheck(paths, diagnosis, unread);
  }
  await report(diagnosis, flags, terminal);
  return Exit.usage;
}

function lintProject(directory: string, flags: LintFlags, options: DiagnoseOptions, terminal: Terminal): Promise<ExitCode> {
  const { snapshot, place, project } = projectSnapshot(directory, new Date());
  return report(diagnose(snapshot, { ...options, place, project }), flags, terminal);
}

/** The project that a path means: its directory, or its apisvc.yaml. */
function projectAt(path: string): string | undefined {
  if (basename(path) === 'apisvc.yaml' && isProject(dirname(path))) return dirname(path);
  return isProject(path) ? path : undefined;
}

async function report(diagnosis: Diagnosis, { output, failOn }: LintFlags, terminal: Terminal): Promise<ExitCode> {
  const { failure, ...passing } = diagnosis;
  await terminal.result(await renderDiagnosis(failOn === 'never' ? passing : diagnosis, output, terminal));
  return failure !== undefined && failOn !== 'never' ? Exit.findings : Exit.ok;
}

async function readAll(paths: readonly string[], recursive: boolean, terminal: Terminal) {
  const texts: ManifestText[] = [];
  const unread: Unread[] = [];
  for (const path of paths) {
    if (path === '-') texts.push({ file: path, text: await readStandardInput(terminal) });
    else if (/^https?:\/\//i.test(path)) throw isUrl(path);
    else {
      await readPipes([path], terminal);
      const found = readManifests(path, recursive);
      texts.push(...found.texts);
      unread.push(...found.unread);
    }
  }
  return { texts, unread };
}

/** kubectl -f downloads URLs. lint works offline. */
const isUrl = (url: string): UsageError =>
  new UsageError(`lint does not download files: ${redacted(url)}`, {
    fix: `Download the file: curl -fsSL ${shellWord(redacted(url))} | apisvc lint -`,
  });

const isEmpty = ([first, ...others]: readonly ManifestText[]): boolean =>
  first?.file === '-' && first.text.trim() === '' && others.length === 0;

const noInput = (): UsageError => new UsageError('standard input is empty', { fix: 'Check the command before the pipe.' });

const noFaults = ({ files }: Diagnosis): boolean => (files?.findings ?? []).length === 0;

/** The error for files without an APIService: why they could not be read, or that there is none. */
function nothingToCheck(paths: readonly string[], { files }: Diagnosis, unread: readonly Unread[]): UsageError {
  const [error] = unread.flatMap((each) => each.error ?? []);
  const { findings = [], notChecked = [] } = files ?? {};
  if (error && findings.length === 1) return error;
  if (findings.length > 0) {
    const lines = findings.map(({ locations = [], evidence }) => `${locations.map(locationText).join(', ')}: ${evidence.join('; ')}`);
    const fixes = new Set(findings.map(({ fix }) => linesOf(fix)));
    return new UsageError(lines.join('\n'), { fix: [...fixes].join('\n') });
  }
  const where = paths.map((path) => (path === '-' ? 'on standard input' : `in ${path}`)).join(' or ');
  const skipped = notChecked.map(({ what, why }) => `\n${what}: ${why}`).join('');
  return new UsageError(`no APIService ${where}${skipped}`, {
    fix: 'Pass files that contain an APIService, such as the output of apisvc render. To read subdirectories, add -R.',
  });
}

/** A fix without backticks. Each command ends a line, so that no punctuation follows it. */
const linesOf = (fix: string): string =>
  fixParts(fix)
    .map(({ kind, text }) => (kind === 'command' ? `${text}\n` : `${text} `))
    .join('')
    .trim();
