import { text as readStream } from 'node:stream/consumers';
import { diagnose } from '../diagnosis/diagnose.ts';
import { locationText } from '../diagnosis/locations.ts';
import type { Diagnosis } from '../diagnosis/types.ts';
import { Exit, type ExitCode, UsageError } from '../errors.ts';
import type { ManifestText } from '../manifests/types.ts';
import { readManifests, type Unread } from '../project/manifests.ts';
import type { DiagnosisFormat } from '../report/formats.ts';
import { offlineSnapshot } from '../snapshot/offline/snapshot.ts';
import { projectSnapshot } from './lint-project.ts';
import { renderDiagnosis } from './report.ts';
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
  const paths = [...given, ...(flags.filename ?? [])];
  const now = new Date();
  const options = { strict: flags.strict ?? false, warningsAreErrors: flags.failOn === 'warning' };
  if (paths.length === 0) {
    const { snapshot, place, project } = projectSnapshot(flags.directory, now);
    return report(diagnose(snapshot, { ...options, place, project }), flags, terminal);
  }
  const { texts, unread } = await readAll(paths, flags.recursive ?? false, terminal);
  const { snapshot, place } = offlineSnapshot(
    texts,
    now,
    unread.map(({ fault }) => fault),
  );
  const diagnosis = diagnose(snapshot, { ...options, place });
  if (diagnosis.apis.length > 0) return report(diagnosis, flags, terminal);
  // People read the errors. Programs get them in their format.
  if (flags.output === 'text' || flags.output === 'short' || noFaults(diagnosis)) throw nothingToCheck(paths, diagnosis, unread);
  await report(diagnosis, flags, terminal);
  return Exit.usage;
}

async function report(diagnosis: Diagnosis, { output, failOn }: LintFlags, terminal: Terminal): Promise<ExitCode> {
  const { failure, ...passing } = diagnosis;
  await terminal.result(await renderDiagnosis(failOn === 'never' ? passing : diagnosis, output, terminal));
  return failure !== undefined && failOn !== 'never' ? Exit.findings : Exit.ok;
}

async function readAll(paths: readonly string[], recursive: boolean, { stdin }: Terminal) {
  const texts: ManifestText[] = [];
  const unread: Unread[] = [];
  for (const path of paths) {
    if (path === '-') texts.push({ file: path, text: await readStream(stdin) });
    else {
      const found = readManifests(path, recursive);
      texts.push(...found.texts);
      unread.push(...found.unread);
    }
  }
  return { texts, unread };
}

const noFaults = ({ files }: Diagnosis): boolean => (files?.findings ?? []).length === 0;

/** The error for files without an APIService: why they could not be read, or that there is none. */
function nothingToCheck(paths: readonly string[], { files }: Diagnosis, unread: readonly Unread[]): UsageError {
  const [error] = unread.flatMap((each) => each.error ?? []);
  const { findings = [], notChecked = [] } = files ?? {};
  if (error && findings.length === 1) return error;
  const [first] = findings;
  if (first) {
    const lines = findings.map(({ locations = [], evidence }) => `${locations.map(locationText).join(', ')}: ${evidence.join('; ')}`);
    return new UsageError(lines.join('\n'), { fix: first.fix.replaceAll('`', '') });
  }
  const where = paths.map((path) => (path === '-' ? 'on standard input' : `in ${path}`)).join(' or ');
  const skipped = notChecked.map(({ what, why }) => `\n${what}: ${why}`).join('');
  return new UsageError(`no APIService ${where}${skipped}`, {
    fix: 'Pass files that contain an APIService, such as the output of apisvc render. To read subdirectories, add -R.',
  });
}
