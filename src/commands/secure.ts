import type { Cluster } from '../cluster/cluster.ts';
import type { Holder } from '../cluster/rotation-lease.ts';
import { clusterFlagsOf } from '../diagnosis/fix.ts';
import { Exit, type ExitCode, RefusedError } from '../errors.ts';
import type { OnProgress } from '../operations/progress.ts';
import { planSecure } from '../operations/secure/plan.ts';
import type { SecureReport } from '../operations/secure/report.ts';
import { findSecured, undoSecure } from '../operations/secure/undo.ts';
import { planChanges, type SecureRequest, secure as secureServer } from '../operations/secure.ts';
import { printable } from '../pki/printable.ts';
import { requireCertificates } from '../project/certificates.ts';
import { refuseDuringRotation } from '../project/generations.ts';
import { isProject, plannedFiles, refuseFile, writeProject } from '../project/project.ts';
import { diffText } from '../report/diff.ts';
import { secureJson, secureText } from '../report/secure.ts';
import { planText } from '../report/unregister.ts';
import { agrees } from './agrees.ts';
import { type ClusterFlags, explainInterrupt, runAgain, withCluster } from './cluster.ts';
import { missingFlags } from './missing-flags.ts';
import { progressOn } from './progress.ts';
import { type Prepared, prepare } from './secure-project.ts';
import { parseName, projectCommands } from './selection.ts';
import type { Question, Terminal } from './terminal.ts';
import { exitCodeOf } from './verdict.ts';

export interface SecureFlags extends ClusterFlags {
  readonly directory?: string;
  readonly output: 'text' | 'json';
  readonly yes?: boolean;
  readonly diff?: boolean;
  readonly undo?: boolean;
}

/** `apisvc secure`: turns on verification for a running server; with --undo puts back what was. */
export async function secure(flags: SecureFlags, [given = '']: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const name = parseName(given);
  if (flags.directory !== undefined) refuseFile(flags.directory);
  const onProgress = withoutRepeatedNotes(progressOn(terminal));
  if (flags.undo) return undo(flags, name, terminal, onProgress);
  const planned = await withCluster(flags, terminal, `inspecting ${name}`, async (cluster, signal) => {
    const plan = await planSecure({ cluster, signal, onProgress }, name);
    if (plan.kind === 'secured') return undefined;
    const prepared = await prepare(plan, name, flags.directory);
    const request = requestOf(prepared, flags, terminal.holder, { signal, onProgress });
    return { prepared, pairs: await planChanges(cluster, request) };
  });
  if (!planned) return finish({ outcome: 'nothing-to-do', name }, flags, terminal);
  const { prepared, pairs } = planned;
  const { plan } = prepared;
  if (plan.kind === 'adopt') for (const what of plan.notes) onProgress({ kind: 'note', what });
  if (flags.diff) {
    const planned = { outcome: 'planned', name, applied: pairs.map(({ applied }) => applied) } as const;
    await terminal.result(flags.output === 'json' ? secureJson(planned) : diffText(pairs, terminal.outColors));
    return pairs.some(({ applied }) => applied.change !== 'unchanged') ? Exit.findings : Exit.ok;
  }
  await confirm(flags, terminal, diffText(pairs, terminal.errorColors));
  return apply(name, prepared, flags, terminal, onProgress);
}

/** The look before the confirmation and the run after it find the same. */
function withoutRepeatedNotes(onProgress: OnProgress): OnProgress {
  const noted = new Set<string>();
  return (progress) => {
    if (progress.kind === 'note' && noted.has(progress.what)) return;
    if (progress.kind === 'note') noted.add(progress.what);
    onProgress(progress);
  };
}

async function apply(name: string, prepared: Prepared, flags: SecureFlags, terminal: Terminal, onProgress: OnProgress): Promise<ExitCode> {
  const { dir, project, plan } = prepared;
  if (dir !== undefined && project) {
    // One may have started while the user answered.
    refuseDuringRotation(dir);
    const planned = plannedFiles(dir, project);
    writeProject(dir, project);
    for (const { path, replaces } of planned) terminal.progress(printable(`${replaces ? 'replaced' : 'created'} ${path}`));
  }
  const { applied, diagnosis } = await withCluster(flags, terminal, `securing ${name}`, (cluster: Cluster, signal) =>
    secureServer(cluster, requestOf(prepared, flags, terminal.holder, { signal, onProgress })),
  ).catch((error) => explainInterrupt(error, flags, `${runAgain}, or roll back: apisvc secure ${name} --undo`));
  const { namespace } = prepared.registration.metadata;
  const report = {
    outcome: 'secured',
    name,
    applied,
    ...(dir === undefined || plan.kind === 'trust' ? {} : { project: dir }),
    ...(plan.kind === 'trust' ? { secret: `${namespace}/${plan.secret}` } : {}),
    diagnosis,
  } as const;
  return finish(report, flags, terminal);
}

const requestOf = (
  { plan, registration, issued, dir: project }: Prepared,
  flags: SecureFlags,
  holder: Holder,
  running: Pick<SecureRequest, 'signal' | 'onProgress'>,
): SecureRequest => {
  // A server that keeps its certificate may serve several that its CA verifies.
  const dir = plan.kind === 'trust' ? undefined : project;
  return {
    registration,
    issued,
    readAgain: async () => {
      if (dir === undefined) return issued;
      refuseDuringRotation(dir);
      return requireCertificates(dir, registration, { withKey: true, now: new Date() });
    },
    dir,
    clusterFlags: clusterFlagsOf(flags),
    ...(dir === undefined ? {} : { project: projectCommands(dir, registration) }),
    holder,
    ...running,
  };
};

const confirmation: Question = {
  message: 'Apply these changes?',
  why: 'Answer yes or no. Nothing has been changed yet.',
  flag: '--yes',
};

/** @throws UsageError with the flag where nobody can be asked; RefusedError if the user declines */
async function confirm({ yes }: SecureFlags, terminal: Terminal, before: string): Promise<void> {
  if (yes) return;
  if (!terminal.interactive) throw missingFlags([confirmation]);
  if (await agrees(terminal, { ...confirmation, before })) return;
  throw new RefusedError('Aborted; nothing was changed.', { fix: 'To only see the changes, use --diff.' });
}

async function undo(flags: SecureFlags, name: string, terminal: Terminal, onProgress: OnProgress): Promise<ExitCode> {
  const { directory } = flags;
  const targets = await withCluster(flags, terminal, `inspecting ${name}`, (cluster, signal) =>
    findSecured({ cluster, signal, onProgress }, { name, directory }),
  );
  if (targets.length === 0) return finish({ outcome: 'nothing-to-undo', name }, flags, terminal);
  await confirm(flags, terminal, planText({ targets, evidence: [] }));
  const undone = await withCluster(flags, terminal, `undoing ${name}`, (cluster, signal) =>
    undoSecure(cluster, { name, directory, clusterFlags: clusterFlagsOf(flags), holder: terminal.holder, signal, onProgress }),
  ).catch((error) => explainInterrupt(error, flags, `${runAgain}.`));
  const project = directory ?? targets.find(({ ref }) => ref.resource.kind === 'Deployment')?.ref.name;
  return finish(
    { outcome: 'undone', name, ...undone, ...(project !== undefined && isProject(project) ? { project } : {}) },
    flags,
    terminal,
  );
}

async function finish(report: SecureReport, flags: SecureFlags, terminal: Terminal): Promise<ExitCode> {
  await terminal.result(flags.output === 'json' ? secureJson(report) : secureText(report, flags, terminal.outColors));
  return report.diagnosis ? exitCodeOf(report.diagnosis) : Exit.ok;
}
