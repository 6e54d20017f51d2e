import type { ClusterResult, Diagnosis, DiagnosisList } from '../diagnosis/types.ts';
import { ApisvcError, ClusterError, Exit, type ExitCode, InterruptedError, UsageError } from '../errors.ts';
import { type Verified, verifyUntilHealthy } from '../operations/verify.ts';
import { saveFile } from '../project/files.ts';
import { type DiagnosisFormat, isListFormat, listFormats } from '../report/formats.ts';
import { snapshotJson } from '../report/json.ts';
import { printable } from '../report/printable.ts';
import type { Wanted } from '../snapshot/types.ts';
import { type ClusterFlags, withCluster } from './cluster.ts';
import { renderDiagnosis, renderList } from './report.ts';
import type { Terminal } from './terminal.ts';
import { exitCodeOf, expiresSoon, listExitCode, withoutDate, worstOf } from './verdict.ts';
import { type WantedFlags, wantedOf, wantedWords } from './wanted.ts';
import { type Frame, watch } from './watch.ts';

export interface VerifyFlags extends Omit<ClusterFlags, 'context'>, WantedFlags {
  /** Several are looked at side by side. */
  readonly context?: readonly string[];
  readonly output: DiagnosisFormat;
  readonly asUser?: string;
  /** Milliseconds. */
  readonly failIfExpiresWithin?: number;
  readonly strict?: boolean;
  readonly wait?: boolean;
  readonly watch?: boolean;
  readonly save?: string;
  readonly from?: string;
}

/** `apisvc verify`: looks, diagnoses, reports. */
export async function verify(flags: VerifyFlags, given: readonly string[], terminal: Terminal): Promise<ExitCode> {
  if (flags.from !== undefined) {
    const { replay } = await import('./replay.ts');
    const diagnosis = await replay(flags.from, given, diagnoseOptions(flags), terminal);
    return report(diagnosis, flags, terminal);
  }
  const wanted = await wantedOf(flags, given);
  const contexts = [...new Set(flags.context ?? [])];
  if (contexts.length > 1) {
    requireListFormat(flags);
    const look = (): Promise<DiagnosisList> => lookAtAll(contexts, wanted, flags, terminal);
    if (flags.watch) return watch(async () => frameOf(await look(), flags, terminal), terminal);
    return report(await look(), flags, terminal);
  }
  const look = async (): Promise<Verified> => {
    const verified = await lookAt(contexts[0], wanted, flags, terminal);
    if (verified.diagnosis.apis.length === 0) throw nothingThere(wanted);
    return verified;
  };
  if (flags.watch) {
    requireListFormat(flags);
    return watch(async () => frameOf((await look()).diagnosis, flags, terminal), terminal);
  }
  const { snapshot, diagnosis } = await look();
  await terminal.result(await render(diagnosis, flags, terminal));
  // What was found is told whether or not it can be kept.
  if (flags.save !== undefined) saveFile({ path: flags.save, text: snapshotJson(snapshot), mode: 0o600 });
  return exitCodeFor(diagnosis, flags);
}

const diagnoseOptions = ({ strict = false, failIfExpiresWithin }: VerifyFlags) => ({
  strict,
  ...(failIfExpiresWithin === undefined ? {} : { expiresWithinMs: failIfExpiresWithin }),
});

/** Reports that describe one cluster once can be neither lined up nor repeated. */
function requireListFormat({ output, watch, save }: VerifyFlags): void {
  if (!isListFormat(output)) {
    const what = watch ? '--watch' : 'more than one --context';
    throw new UsageError(`-o ${output} does not go with ${what}`, { fix: `${what} goes with -o ${listFormats.join(', ')}.` });
  }
  if (save !== undefined) throw new UsageError('--save keeps what was seen of one cluster; give one --context');
}

async function lookAt(context: string | undefined, wanted: Wanted, flags: VerifyFlags, terminal: Terminal): Promise<Verified> {
  const words = wantedWords(wanted);
  return withCluster({ ...flags, context }, terminal, `looking at ${words}`, async (cluster, signal) => {
    if (flags.wait) terminal.progress(`waiting for ${words} to be healthy, at most ${flags.timeout / 1000}s`);
    return verifyUntilHealthy(cluster, {
      wanted,
      ...diagnoseOptions(flags),
      clusterFlags: clusterFlagsOf({ ...flags, context }),
      ...(flags.asUser === undefined ? {} : { asUser: flags.asUser }),
      onProgress: (done, total) => terminal.status(printable(`looking at ${words}: ${done} of ${total}`)),
      // With --wait only the deadline ends it.
      until: flags.wait ? signal : AbortSignal.abort(),
      signal,
    });
  });
}

/** What was given to reach a cluster other than the usual one. */
const clusterFlagsOf = ({ kubeconfig, context }: ClusterFlags): string[] => [
  ...(kubeconfig === undefined ? [] : [`--kubeconfig=${kubeconfig}`]),
  ...(context === undefined ? [] : [`--context=${context}`]),
];

const nothingThere = (wanted: Wanted): UsageError =>
  new UsageError(`there are no ${wantedWords(wanted)}`, { fix: 'kubectl get apiservices --show-labels' });

/**
 * A cluster that can't be looked at, or has nothing of what is wanted, does not keep the others from it.
 * @throws UsageError when none of them has anything
 */
async function lookAtAll(contexts: readonly string[], wanted: Wanted, flags: VerifyFlags, terminal: Terminal): Promise<DiagnosisList> {
  const clusters = await Promise.all(
    contexts.map(async (context): Promise<ClusterResult> => {
      try {
        const { diagnosis } = await lookAt(context, wanted, flags, terminal);
        return diagnosis.apis.length > 0 ? { context, diagnosis } : { context, error: nothingThere(wanted).message };
      } catch (error) {
        if (!(error instanceof ApisvcError) || error instanceof InterruptedError || error instanceof UsageError) throw error;
        return { context, error: error.message };
      }
    }),
  );
  if (clusters.every(({ error }) => error === nothingThere(wanted).message)) throw nothingThere(wanted);
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
  return exitCodeFor(outcome, flags);
}

/** @throws ClusterError where --fail-if-expires-within asks for dates that nobody knows, and nothing else is wrong */
function exitCodeFor(outcome: Outcome, { strict = false, failIfExpiresWithin }: VerifyFlags): ExitCode {
  const diagnoses = 'clusters' in outcome ? outcome.clusters.flatMap(({ diagnosis }) => diagnosis ?? []) : [outcome];
  if (failIfExpiresWithin !== undefined && diagnoses.some(expiresSoon)) return Exit.findings;
  const code = 'clusters' in outcome ? listExitCode(outcome, strict) : exitCodeOf(outcome, strict);
  const unknown = failIfExpiresWithin === undefined ? [] : diagnoses.flatMap(withoutDate);
  if (code === Exit.ok && unknown.length > 0) throw datesUnseen(unknown);
  return code;
}

/** Not to have seen a certificate is no promise that it lasts. */
const datesUnseen = (names: readonly string[]): ClusterError =>
  new ClusterError(`when the serving certificates of ${[...new Set(names)].join(', ')} end is not known: none was seen`, {
    fix: 'The report says under "not checked" why; the right to create pods/portforward is what it takes most often.',
  });

/** The time of a look makes no difference. */
const frameOf = async (outcome: Outcome, flags: VerifyFlags, terminal: Terminal): Promise<Frame> => ({
  key: JSON.stringify(outcome, (key, value: unknown) => (key === 'takenAt' ? undefined : value)),
  text: `${flags.output === 'yaml' ? '---\n' : ''}${await render(outcome, flags, terminal)}`,
});
