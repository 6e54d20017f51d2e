import type { ClusterOptions } from '../cluster/kubeconfig.ts';
import { clusterFlagsOf, withClusterFlags } from '../diagnosis/fix.ts';
import type { ClusterResult, Diagnosis, DiagnosisList } from '../diagnosis/types.ts';
import { worstOf } from '../diagnosis/verdict.ts';
import { ApisvcError, type ExitCode, InterruptedError, UsageError } from '../errors.ts';
import { type Verified, verifyUntilHealthy } from '../operations/verify.ts';
import { printable } from '../pki/printable.ts';
import { saveFile } from '../project/files.ts';
import { refuseOtherFile } from '../project/snapshot-file.ts';
import { type DiagnosisFormat, isListFormat, listFormats } from '../report/formats.ts';
import { snapshotJson } from '../report/json.ts';
import type { SnapshotOptions, Wanted } from '../snapshot/types.ts';
import { type ClusterFlags, withCluster } from './cluster.ts';
import { renderDiagnosis, renderList } from './report.ts';
import { comparing, describeSelection, InvalidNameError, type Selection, type SelectionFlags, selectionOf } from './selection.ts';
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
  const contexts = [...new Set(flags.context ?? [])];
  if (contexts.length > 1) {
    requireListFormat(flags);
    const check = (): Promise<DiagnosisList> => checkClusters(contexts, selection, flags, terminal);
    if (flags.watch) return watch(async () => frameOf(await check(), flags, terminal), terminal);
    return report(await check(), flags, terminal);
  }
  const check = async (): Promise<Verified> => {
    const verified = await checkCluster(contexts[0], selection, flags, terminal);
    if (verified.diagnosis.apis.length === 0) throw nothingFound(wanted, { ...flags, context: contexts[0] });
    return verified;
  };
  if (flags.watch) {
    requireListFormat(flags);
    return watch(async () => frameOf((await check()).diagnosis, flags, terminal), terminal);
  }
  const { snapshot, diagnosis } = await check();
  await terminal.result(await render(diagnosis, flags, terminal));
  // Report first: the report is useful even if the file cannot be written.
  if (flags.save !== undefined) saveFile({ path: flags.save, text: snapshotJson(snapshot), mode: 0o600 });
  return exitCodeFor(diagnosis);
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

/** Formats that describe one cluster at one time cannot be combined or repeated. */
function requireListFormat({ output, watch, save }: VerifyFlags): void {
  if (!isListFormat(output)) {
    const what = watch ? '--watch' : 'more than one --context';
    throw new UsageError(`-o ${output} cannot be used with ${what}`, {
      fix: `Use another format: ${listFormats.map((format) => `-o ${format}`).join(', ')}.`,
    });
  }
  if (save !== undefined)
    throw new UsageError('--save cannot be used with more than one --context', { fix: 'Run verify --save once for each context.' });
}

async function checkCluster(
  context: string | undefined,
  { wanted, project, compared, declared }: Selection,
  flags: VerifyFlags,
  terminal: Terminal,
): Promise<Verified> {
  const selection = describeSelection(wanted);
  return withCluster({ ...flags, context }, terminal, `verifying ${selection}`, async (cluster, signal) => {
    if (flags.wait) terminal.progress(`waiting up to ${flags.timeout / 1000}s for ${selection} to be healthy`);
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

/**
 * Checks several clusters. A cluster that fails, or that has no selected APIService, does not stop
 * the rest.
 * @throws UsageError if no cluster has a selected APIService
 */
async function checkClusters(
  contexts: readonly string[],
  selection: Selection,
  flags: VerifyFlags,
  terminal: Terminal,
): Promise<DiagnosisList> {
  const { wanted } = selection;
  const clusters = await Promise.all(
    contexts.map(async (context): Promise<ClusterResult> => {
      try {
        const { diagnosis } = await checkCluster(context, selection, flags, terminal);
        return diagnosis.apis.length > 0 ? { context, diagnosis } : { context, error: nothingFound(wanted, { ...flags, context }).message };
      } catch (error) {
        if (!(error instanceof ApisvcError) || error instanceof InterruptedError || error instanceof UsageError) throw error;
        return { context, error: error.message };
      }
    }),
  );
  const nothing = nothingFound(wanted, { ...flags, context: contexts[0] });
  if (clusters.every(({ error }) => error === nothing.message)) throw nothing;
  const verdict = worstOf(clusters.map(({ diagnosis }) => diagnosis?.verdict ?? 'unknown'));
  return { apiVersion: 'apisvc.dev/diagnosis-list/v1alpha1', verdict, clusters };
}

type Outcome = Diagnosis | DiagnosisList;

const render = (outcome: Outcome, { output }: VerifyFlags, terminal: Terminal): Promise<string> => {
  if (!('clusters' in outcome)) return renderDiagnosis(outcome, output, terminal);
  return renderList(outcome, isListFormat(output) ? output : 'text', terminal);
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
