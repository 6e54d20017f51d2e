import { clusterFlagsOf } from '../diagnosis/fix.ts';
import { Exit, type ExitCode, RefusedError, UsageError } from '../errors.ts';
import type { OnProgress } from '../operations/progress.ts';
import { findLeftovers } from '../operations/unregister/find.ts';
import {
  dryRunUnregister,
  type Plan,
  planUnregister,
  type Subject,
  type UnregisterRequest,
  unregister as unregisterApi,
} from '../operations/unregister.ts';
import { isProject, readRegistration, requireDirectory } from '../project/project.ts';
import { dryRunText, leftoversText, planText, unregisterJson, unregisterText } from '../report/unregister.ts';
import { agrees } from './agrees.ts';
import { type ClusterFlags, explainInterrupt, runAgain, withCluster } from './cluster.ts';
import { missingFlags } from './missing-flags.ts';
import { progressOn } from './progress.ts';
import { parseName } from './selection.ts';
import type { Question, Terminal } from './terminal.ts';

export interface UnregisterFlags extends ClusterFlags {
  readonly directory: string;
  readonly output: 'text' | 'json';
  readonly yes?: boolean;
  readonly dryRun?: 'client' | 'server';
  readonly keepSecrets?: boolean;
  readonly leftovers?: boolean;
}

/** `apisvc unregister`: removes a registration; with --leftovers only lists what is left. */
export async function unregister(flags: UnregisterFlags, [name]: readonly string[], terminal: Terminal): Promise<ExitCode> {
  if (flags.leftovers) return listLeftovers(flags, name, terminal);
  const subject = subjectOf(flags, name);
  const asks = !flags.yes && flags.dryRun === undefined;
  if (asks && !terminal.interactive) throw missingFlags([confirmation]);
  const onProgress: OnProgress = progressOn(terminal);
  const requestFor = (signal: AbortSignal): UnregisterRequest => ({
    subject,
    keepSecrets: flags.keepSecrets === true,
    holder: terminal.holder,
    signal,
    onProgress,
  });
  if (flags.dryRun) return dryRun(flags.dryRun, flags, terminal, requestFor);
  const plan = asks ? await confirm(flags, terminal, requestFor) : undefined;
  const removed = await withCluster(flags, terminal, 'unregistering', (cluster, signal) =>
    unregisterApi(cluster, { ...requestFor(signal), plan }),
  ).catch((error) => explainInterrupt(error, flags, `${runAgain}, or list what is left: apisvc unregister --leftovers`));
  await terminal.result(flags.output === 'json' ? unregisterJson({ removed }) : unregisterText(removed));
  return Exit.ok;
}

type RequestFor = (signal: AbortSignal) => UnregisterRequest;

/** @throws UsageError without a name and a project */
function subjectOf({ directory }: UnregisterFlags, name: string | undefined): Subject {
  if (name === undefined) {
    if (isProject(directory)) return { registration: readRegistration(directory) };
    requireDirectory(directory);
    throw new UsageError(`no APIService given, and no apisvc.yaml in ${directory === '.' ? 'this directory' : directory}`, {
      fix: 'Pass the name of an APIService, or set the project directory with -C. To list what earlier registrations left: apisvc unregister --leftovers',
    });
  }
  if (/^[^/.]+\/[^/]+$/.test(name) && !/^apiservices?\//.test(name)) return { project: name };
  return { apiService: parseName(name) };
}

const confirmation: Question = {
  message: 'Unregister?',
  why: 'Answer yes or no. Nothing has been changed yet.',
  flag: '--yes',
};

/**
 * Shows the plan and asks. The time limit does not include the answer.
 * @returns the confirmed plan
 * @throws RefusedError if the user declines
 */
async function confirm(flags: UnregisterFlags, terminal: Terminal, requestFor: RequestFor): Promise<Plan> {
  const plan = await withCluster(flags, terminal, 'looking for the objects to delete', (cluster, signal) =>
    planUnregister(cluster, requestFor(signal)),
  );
  // Only an empty Namespace may be left.
  if (plan.targets.every(({ action }) => action === 'leave')) return plan;
  if (await agrees(terminal, { ...confirmation, before: planText(plan) })) return plan;
  throw new RefusedError('Aborted; nothing was changed.', { fix: 'To only see what would happen, use --dry-run=client.' });
}

async function dryRun(where: 'client' | 'server', flags: UnregisterFlags, terminal: Terminal, requestFor: RequestFor): Promise<ExitCode> {
  const removed = await withCluster(flags, terminal, 'checking', (cluster, signal) =>
    dryRunUnregister(cluster, requestFor(signal), where === 'server'),
  );
  await terminal.result(flags.output === 'json' ? unregisterJson({ dryRun: where, removed }) : dryRunText(removed, where));
  return Exit.ok;
}

async function listLeftovers(flags: UnregisterFlags, name: string | undefined, terminal: Terminal): Promise<ExitCode> {
  if (name !== undefined) throw new UsageError('--leftovers cannot be used with a name', { fix: 'Remove the name or the flag.' });
  const found = await withCluster(flags, terminal, 'looking for leftovers', (cluster, signal) => findLeftovers({ cluster, signal }));
  await terminal.result(
    flags.output === 'json' ? unregisterJson({ ...found }) : leftoversText(found.leftovers, found.orphans, clusterFlagsOf(flags)),
  );
  return Exit.ok;
}
