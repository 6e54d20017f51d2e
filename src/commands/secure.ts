import type { Cluster } from '../cluster/cluster.ts';
import type { Holder } from '../cluster/rotation-lease.ts';
import { apiServiceNames } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import { clusterFlagsOf } from '../diagnosis/fix.ts';
import { Exit, type ExitCode, RefusedError, UsageError } from '../errors.ts';
import { issueCertificates } from '../issuers/issuers.ts';
import type { OnProgress } from '../operations/progress.ts';
import { planSecure, type SecurePlan } from '../operations/secure/plan.ts';
import type { SecureReport } from '../operations/secure/report.ts';
import { findSecured, undoSecure } from '../operations/secure/undo.ts';
import { planChanges, type SecureRequest, secure as secureServer } from '../operations/secure.ts';
import type { Issued } from '../pki/types.ts';
import { readCertificates, requireCertificates } from '../project/certificates.ts';
import { finishPromotion, refuseDuringRotation } from '../project/generations.ts';
import { isProject, type NewProject, projectFiles, readRegistration, readSchema, writeProject } from '../project/project.ts';
import { diffText } from '../report/diff.ts';
import { progressLine } from '../report/progress.ts';
import { secureJson, secureText } from '../report/secure.ts';
import { planText } from '../report/unregister.ts';
import { agrees } from './agrees.ts';
import { type ClusterFlags, explainInterrupt, runAgain, withCluster } from './cluster.ts';
import { missingFlags } from './missing-flags.ts';
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
  const onProgress = withoutRepeatedNotes((progress) => terminal.progress(progressLine(progress)));
  if (flags.undo) return undo(flags, name, terminal, onProgress);
  const planned = await withCluster(flags, terminal, `looking at ${name}`, async (cluster, signal) => {
    const plan = await planSecure({ cluster, signal, onProgress }, name);
    if (plan.kind === 'secured') return undefined;
    const prepared = await prepare(plan, name, flags);
    const request = requestOf(prepared, flags, terminal.holder, { signal, onProgress });
    return { prepared, pairs: await planChanges(cluster, request) };
  });
  if (!planned) return finish({ outcome: 'nothing-to-do', name }, flags, terminal);
  const { prepared, pairs } = planned;
  const { plan } = prepared;
  if (plan.kind === 'adopt') for (const what of plan.notes) onProgress({ kind: 'note', what });
  if (flags.diff) {
    await terminal.result(diffText(pairs, terminal.outColors));
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
    for (const path of writeProject(dir, project)) terminal.progress(`created ${path}`);
  }
  const { applied, diagnosis } = await withCluster(flags, terminal, `securing ${name}`, (cluster: Cluster, signal) =>
    secureServer(cluster, requestOf(prepared, flags, terminal.holder, { signal, onProgress })),
  ).catch((error) => explainInterrupt(error, flags, `${runAgain}, or restore what was there before: apisvc secure ${name} --undo`));
  const { namespace } = prepared.registration.metadata;
  const report = {
    outcome: 'secured',
    name,
    applied,
    ...(dir === undefined ? {} : { project: dir }),
    ...(plan.kind === 'trust' ? { secret: `${namespace}/${plan.secret}` } : {}),
    diagnosis,
  } as const;
  return finish(report, flags, terminal);
}

/** What the plan needs from the disk. */
interface Prepared {
  readonly plan: Exclude<SecurePlan, { kind: 'secured' }>;
  readonly registration: Registration;
  readonly issued: Issued;
  /** Undefined where the server keeps its own certificate. */
  readonly dir: string | undefined;
  /** What is not on disk yet. */
  readonly project: NewProject | undefined;
}

/**
 * Reads the project of an earlier run, or makes one. It writes nothing, except that it finishes an
 * interrupted promotion of certs/next.
 */
async function prepare(plan: Prepared['plan'], name: string, { directory }: SecureFlags): Promise<Prepared> {
  if (plan.kind === 'trust') return { plan, registration: plan.registration, issued: plan.issued, dir: undefined, project: undefined };
  const dir = directory ?? plan.registration.metadata.name;
  const earlier = isProject(dir) ? readEarlier(dir, plan.registration, name) : undefined;
  const registration = earlier?.registration ?? plan.registration;
  if (earlier?.issued) return { plan, registration, issued: earlier.issued, dir, project: undefined };
  const certificates = await issueCertificates(registration, { given: undefined, now: new Date() });
  const configuration = earlier ? undefined : plan.configuration;
  return { plan, registration, issued: certificates.issued, dir, project: { configuration, schema: readSchema(), certificates } };
}

interface Earlier {
  readonly registration: Registration;
  /** Undefined where the run ended while it wrote the certificates. */
  readonly issued: Issued | undefined;
}

/** @throws RefusedError during a rotation; as `refuseOtherProject` and `requireCertificates` */
function readEarlier(dir: string, wanted: Registration, name: string): Earlier {
  finishPromotion(dir);
  refuseDuringRotation(dir);
  const registration = readRegistration(dir);
  refuseOtherProject(dir, registration, wanted, name);
  const request = { withKey: true, now: new Date() } as const;
  const { faults } = readCertificates(dir, registration, request);
  const isUnfinished = faults.length > 0 && faults.every(({ code }) => unfinished.includes(code));
  return { registration, issued: isUnfinished ? undefined : requireCertificates(dir, registration, request) };
}

/** The faults of certificates of which not all files are written. */
const unfinished: readonly string[] = ['file-not-found', 'key-mismatch', 'unknown-authority'];

/** @throws UsageError where the directory has the project of another server */
function refuseOtherProject(dir: string, found: Registration, wanted: Registration, name: string): void {
  const isSame =
    apiServiceNames(found).includes(name) &&
    found.metadata.namespace === wanted.metadata.namespace &&
    found.spec.service.name === wanted.spec.service.name &&
    found.spec.server.existing !== undefined;
  if (isSame) return;
  throw new UsageError(`${projectFiles(dir).configuration} is the project of another server`, {
    fix: `Choose another directory: apisvc secure ${name} -C DIR`,
  });
}

const requestOf = (
  { registration, issued, dir }: Prepared,
  flags: SecureFlags,
  holder: Holder,
  running: Pick<SecureRequest, 'signal' | 'onProgress'>,
): SecureRequest => ({
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
});

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
  const targets = await withCluster(flags, terminal, `looking at ${name}`, (cluster, signal) =>
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
