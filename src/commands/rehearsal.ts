import { parseRegistration } from '../config/load.ts';
import { presetText } from '../config/presets.ts';
import type { Registration } from '../config/schema.ts';
import { ApisvcError, Exit, type ExitCode, RefusedError, UsageError } from '../errors.ts';
import { issueCertificates } from '../issuers/issuers.ts';
import { manifestsToRegister } from '../manifests/render.ts';
import { register } from '../operations/register.ts';
import type { Issued } from '../pki/types.ts';
import { requireCertificates } from '../project/certificates.ts';
import { keepsCertificates } from '../project/issued.ts';
import { createCommand, isProject, readRegistration, requireDirectory } from '../project/project.ts';
import type { DiagnosisFormat } from '../report/formats.ts';
import { appliedSummary } from '../report/progress.ts';
import { loadSandbox, type Program, type ProgramOf, type Sandbox } from '../sandbox/index.ts';
import { withCluster } from './cluster.ts';
import { progressOn } from './progress.ts';
import { renderDiagnosis } from './report.ts';
import type { Terminal } from './terminal.ts';
import { exitCodeOf } from './verdict.ts';

/** The fix of a failed rehearsal: kubectl commands would no longer reach the sandbox. */
const inspectFix =
  'Read the server log above. To inspect the objects with kubectl, run the same command without --once. The sandbox then keeps running.';

/** What a sandbox registers, and the program that runs in place of the server's image. */
export interface Guest {
  readonly registration: Registration;
  readonly issued: Issued;
  readonly program: Program;
}

export interface RehearsalFlags {
  /** Ends the sandbox after the rehearsal. */
  readonly once?: boolean;
  /** Milliseconds. */
  readonly timeout: number;
  readonly output: DiagnosisFormat;
}

/**
 * The project of a directory, with a command as its server.
 * @throws UsageError when the directory has no project, or the project has no Deployment
 */
export async function projectGuest(directory: string, command: readonly string[]): Promise<Guest> {
  if (!isProject(directory)) {
    requireDirectory(directory);
    throw new UsageError(`no apisvc.yaml in ${directory === '.' ? 'this directory' : directory}`, {
      fix: `Set the project directory with -C, or create a project: ${createCommand(directory)}`,
    });
  }
  const registration = readRegistration(directory);
  const { existing, external } = registration.spec.server;
  if (existing || external) {
    throw new UsageError(
      `the sandbox cannot run this project: its server ${existing ? 'is deployed separately' : 'runs outside the cluster'}, so the project has no Deployment`,
      {
        fix: 'Use a project with spec.server.image.',
      },
    );
  }
  if (!keepsCertificates(directory, registration)) {
    throw new UsageError(
      `the sandbox cannot run this project: its certificate comes from the issuer ${registration.spec.certificates.issuer.type}, which the sandbox does not have`,
      { fix: 'Use a project with the issuer type self-signed or ca.' },
    );
  }
  const issued = requireCertificates(directory, registration, { withKey: true, now: new Date() });
  return { registration, issued, program: (await loadSandbox()).localProgram(command) };
}

/** The demo server, with its own certificates. */
export async function demoGuest(): Promise<Guest> {
  const registration = parseRegistration(presetText('demo'), 'the preset demo');
  const { issued } = await issueCertificates(registration, { given: undefined, now: new Date() });
  return { registration, issued, program: (await loadSandbox()).demoProgram };
}

type DemoServer = Pick<Awaited<ReturnType<typeof loadSandbox>>, 'demoImage' | 'demoProgram'>;

/**
 * Selects what runs in a container: the program of the guest in place of its server's image, and
 * the demo server in place of its own image in any pod.
 */
export const programOf =
  (guest: Guest | undefined, { demoImage, demoProgram }: DemoServer): ProgramOf =>
  ({ metadata }, { name, image }) => {
    const own = guest?.registration;
    if (own && metadata.namespace === own.metadata.namespace && name === own.metadata.name && image === own.spec.server.image)
      return guest.program;
    return image === demoImage ? demoProgram : undefined;
  };

/**
 * Registers and verifies the guest as `apisvc register` does, and writes the diagnosis to stdout.
 * @returns the exit code. Without --once, a failed registration is only reported, because the
 * sandbox keeps running
 * @throws with --once, what the registration throws; InterruptedError
 */
export async function rehearse(
  { registration, issued }: Guest,
  box: Sandbox,
  flags: RehearsalFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const objects = manifestsToRegister(registration, issued).map(({ object }) => object);
  const toSandbox = { timeout: flags.timeout, kubeconfig: box.kubeconfig };
  try {
    const { applied, diagnosis } = await withCluster(toSandbox, terminal, 'registering in the sandbox', (cluster, signal) =>
      register(cluster, {
        registration,
        issued,
        // Nobody rotates in the sandbox.
        readAgain: async () => issued,
        objects,
        forceConflicts: false,
        holder: terminal.holder,
        signal,
        onProgress: progressOn(terminal),
      }),
    );
    terminal.progress(`${appliedSummary(applied)}\n`);
    await terminal.result(await renderDiagnosis(diagnosis, flags.output, terminal));
    return exitCodeOf(diagnosis);
  } catch (error) {
    if (terminal.interrupt.aborted) throw error;
    if (flags.once && error instanceof RefusedError) throw new RefusedError(error.message, { fix: inspectFix, cause: error.cause });
    if (flags.once || !(error instanceof ApisvcError)) throw error;
    terminal.progress([`error: ${error.message}`, ...(error.fix === undefined ? [] : [error.fix])].join('\n'));
    return Exit.findings;
  }
}
