import type { ClusterOptions } from '../cluster/kubeconfig.ts';
import { durationText } from '../config/duration.ts';
import { isPipe } from '../config/pipes.ts';
import { clusterFlagsOf, withClusterFlags } from '../diagnosis/fix.ts';
import type { Diagnosis, DiagnosisList } from '../diagnosis/types.ts';
import { type ExitCode, UsageError } from '../errors.ts';
import { type Verified, verifyUntilHealthy } from '../operations/verify.ts';
import { printable } from '../pki/printable.ts';
import { saveFile } from '../project/files.ts';
import { refuseOtherFile } from '../project/snapshot-file.ts';
import { type DiagnosisFormat, formatOf, formatsOf } from '../report/formats.ts';
import { listJson, snapshotJson } from '../report/json.ts';
import type { SnapshotOptions, Wanted } from '../snapshot/types.ts';
import { type ClusterFlags, withCluster } from './cluster.ts';
import { type Contexts, checkContexts, selectContexts } from './contexts.ts';
import { renderDiagnosis, renderList } from './report.ts';
import { comparing, describeSelection, InvalidNameError, type Selection, type SelectionFlags, selectionOf } from './selection.ts';
import { writePipe } from './standard-input.ts';
import type { Terminal } from './terminal.ts';
import { exitCodeOf, listExitCode } from './verdict.ts';
import { type Frame, watch } from './watch.ts';

export interface VerifyFlags extends Omit<ClusterFlags, 'context' | 'directory'>, SelectionFlags {
  /** Several clusters share one report. */
  readonly context?: readonly string[];
  readonly output: DiagnosisFormat;
  readonly asUser?: string;
  /** False for --no-probe. */
  readonly probe?: readonly string[] | boolean;
  /** Milliseconds. */
  readonly failIfExpiresWithin?: number;
  readonly strict?: boolean;
  readonly wait?: boolean;
  readonly watch?: boolean;
  readonly save?: string;
  readonly from?: string;
}

/** `apisvc verify`: collects a snapshot, diagnoses it, and reports. */
export async function verify(flags: VerifyFlags, given: readonly string[], terminal: Terminal): Promise<ExitCode> {
  if (flags.from !== undefined) {
    const { replay } = await import('./replay.ts');
    const diagnosis = await replay(flags.from, given, diagnoseOptions(flags), terminal);
    return report(diagnosis, flags, terminal);
  }
  if (flags.save !== undefined) refuseOtherFile(flags.save);
  const selected = await selectionOf(flags, given, 'the name of an APIService or --all').catch((error) =>
    suggestNames(error, flags, terminal),
  );
  const selection = await comparing(selected, flags, terminal);
  const { wanted } = selection;
  const contexts = selectContexts(flags.context ?? [], flags.kubeconfig, terminal.env);
  if (flags.watch) requireRepeatable(flags);
  if (contexts.names.length > 1 || contexts.byPattern) {
    refuseSave(flags);
    const check = (): Promise<DiagnosisList> => checkSeveral(contexts, selection, flags, terminal);
    if (flags.watch) return watch(async () => frameOf(await check(), flags, terminal), terminal);
    const list = await check();
    if (!streams(flags)) return report(list, flags, terminal);
    await terminal.result(listJson.end(list.verdict));
    return exitCodeFor(list);
  }
  const [context] = contexts.names;
  const check = async (): Promise<Verified> => {
    const verified = await checkCluster(context, selection, flags, terminal);
    if (verified.diagnosis.apis.length === 0) throw nothingFound(wanted, { ...flags, context });
    return verified;
  };
  if (flags.watch) return watch(async () => frameOf((await check()).diagnosis, flags, terminal), terminal);
  const { snapshot, diagnosis } = await check();
  await terminal.result(await render(diagnosis, flags, terminal));
  // Report first: the report is useful even if the file cannot be written.
  if (flags.save !== undefined) await save(flags.save, snapshotJson(snapshot), terminal);
  return exitCodeFor(diagnosis);
}

async function save(path: string, text: string, terminal: Terminal): Promise<void> {
  if (isPipe(path)) await writePipe(path, text, terminal);
  else saveFile({ path, text, mode: 0o600 });
}

const diagnoseOptions = ({ strict = false, failIfExpiresWithin }: VerifyFlags) => ({
  strict,
  ...(failIfExpiresWithin === undefined ? {} : { expiresWithinMs: failIfExpiresWithin, failIfExpiresSoon: true }),
});

/**
 * Adds the names of the cluster that an invalid name probably means, if the cluster can be asked.
 */
async function suggestNames(error: unknown, flags: VerifyFlags, terminal: Terminal): Promise<never> {
  if (!(error instanceof InvalidNameError)) throw error;
  const { apiServices } = await import('./complete-names.ts');
  const known = await apiServices({ ...flags, context: flags.context?.[0] }, terminal.env).catch(() => []);
  terminal.interrupt.throwIfAborted();
  throw error.suggesting(known.map(({ value }) => value));
}

/** Formats for one document cannot be repeated. */
function requireRepeatable(flags: VerifyFlags): void {
  const { output } = flags;
  if (formatOf(output).once) {
    throw new UsageError(`-o ${output} cannot be used with --watch`, {
      fix: `Use another format: ${formatsOf('verify')
        .filter((name) => !formatOf(name).once)
        .map((format) => `-o ${format}`)
        .join(', ')}.`,
    });
  }
  refuseSave(flags);
}

/** A snapshot is of one cluster. */
function refuseSave({ save }: Pick<VerifyFlags, 'save'>): void {
  if (save !== undefined)
    throw new UsageError('--save cannot be used with more than one --context', {
      fix: 'Run the command once for each context: apisvc verify --context NAME --save FILE',
    });
}

async function checkCluster(
  context: string | undefined,
  { wanted, project, compared, declared }: Selection,
  flags: VerifyFlags,
  terminal: Terminal,
): Promise<Verified> {
  const selection = describeSelection(wanted);
  return withCluster({ ...flags, context }, terminal, `verifying ${selection}`, async (cluster, signal) => {
    if (flags.wait) terminal.progress(`waiting up to ${durationText(flags.timeout)} for ${selection} to be healthy`);
    return verifyUntilHealthy(cluster, {
      wanted,
      ...diagnoseOptions(flags),
      clusterFlags: clusterFlagsOf({ ...flags, context }),
      ...(flags.asUser === undefined ? {} : { asUser: flags.asUser }),
      ...probeOf(flags),
      ...(compared === undefined ? {} : { compared }),
      declared,
      ...(project === undefined ? {} : { project }),
      onProgress: (done, total) => terminal.status(printable(`verifying ${selection}: ${done} of ${total}`)),
      // With --wait, only the deadline ends the checks.
      until: flags.wait ? signal : AbortSignal.abort(),
      signal,
    });
  });
}

/** Without --probe and --no-probe, commander sets nothing or true. */
const probeOf = ({ probe }: VerifyFlags): Pick<SnapshotOptions, 'probe'> =>
  probe === false ? { probe: 'none' } : Array.isArray(probe) ? { probe } : {};

const nothingFound = (wanted: Wanted, cluster: ClusterOptions): UsageError =>
  new UsageError(`no ${'all' in wanted ? 'APIServices' : describeSelection(wanted)} found`, {
    fix: withClusterFlags('List the APIServices and their labels: kubectl get apiservices --show-labels', clusterFlagsOf(cluster)),
  });

/** Checks several contexts. JSON is written as each of them ends. */
async function checkSeveral(contexts: Contexts, selection: Selection, flags: VerifyFlags, terminal: Terminal): Promise<DiagnosisList> {
  const { wanted } = selection;
  if (flags.wait) terminal.progress(`waiting up to ${durationText(flags.timeout)} for ${describeSelection(wanted)} to be healthy`);
  // The lines of all contexts would replace each other.
  const silent = { ...terminal, progress: () => {}, status: () => {} };
  let done = 0;
  return checkContexts(contexts, {
    check: async (context) => (await checkCluster(context, selection, flags, silent)).diagnosis,
    nothingFound: (context) => nothingFound(wanted, { ...flags, context }),
    onResult: async (result) => {
      terminal.status(`verified ${++done} of ${contexts.names.length} contexts`);
      if (streams(flags)) await terminal.result(listJson.cluster(result, done === 1));
    },
  });
}

const streams = ({ output, watch }: VerifyFlags): boolean => output === 'json' && !watch;

type Outcome = Diagnosis | DiagnosisList;

const render = (outcome: Outcome, { output }: VerifyFlags, terminal: Terminal): Promise<string> => {
  if (!('clusters' in outcome)) return renderDiagnosis(outcome, output, terminal);
  return renderList(outcome, output, terminal);
};

async function report(outcome: Outcome, flags: VerifyFlags, terminal: Terminal): Promise<ExitCode> {
  await terminal.result(await render(outcome, flags, terminal));
  return exitCodeFor(outcome);
}

const exitCodeFor = (outcome: Outcome): ExitCode => ('clusters' in outcome ? listExitCode(outcome) : exitCodeOf(outcome));

/** The key leaves out the time of the snapshot. */
const frameOf = async (outcome: Outcome, flags: VerifyFlags, terminal: Terminal): Promise<Frame> => ({
  key: JSON.stringify(outcome, (key, value: unknown) => (key === 'takenAt' ? undefined : value)),
  text: `${flags.output === 'yaml' ? '---\n' : ''}${await render(outcome, flags, terminal)}`,
});
