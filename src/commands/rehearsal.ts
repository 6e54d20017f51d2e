import { parseRegistration } from '../config/load.ts';
import { presetText } from '../config/presets.ts';
import type { Registration } from '../config/schema.ts';
import { ApisvcError, Exit, type ExitCode, InterruptedError, RefusedError, UsageError } from '../errors.ts';
import { issueCertificates } from '../issuers/issuers.ts';
import { manifestsToRegister } from '../manifests/render.ts';
import { register } from '../operations/register.ts';
import type { Issued } from '../pki/types.ts';
import { requireCertificates } from '../project/certificates.ts';
import { isProject, readRegistration } from '../project/project.ts';
import type { DiagnosisFormat } from '../report/formats.ts';
import { appliedSummary, progressLine } from '../report/progress.ts';
import { demoImage, demoProgram } from '../sandbox/demo/program.ts';
import { localProgram } from '../sandbox/node/local-program.ts';
import type { ProgramOf } from '../sandbox/node/types.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Program } from '../sandbox/shared/program.ts';
import { withCluster } from './cluster.ts';
import { renderDiagnosis } from './report.ts';
import type { Terminal } from './terminal.ts';
import { exitCodeOf } from './verdict.ts';

/** Commands of kubectl would find nothing any more. */
const lookingAgain = 'What the server said stands above. Without --once the sandbox goes on, to be looked at with kubectl.';

/** What is put into a sandbox, and what runs in the place of its server's image. */
export interface Guest {
  readonly registration: Registration;
  readonly issued: Issued;
  readonly program: Program;
}

export interface RehearsalFlags {
  /** The sandbox ends after it. */
  readonly once?: boolean;
  /** Milliseconds. */
  readonly timeout: number;
  readonly output: DiagnosisFormat;
}

/** The project of a directory, with a command as its server. @throws UsageError when there is no project, or it deploys no server of its own */
export function projectGuest(directory: string, command: readonly string[]): Guest {
  if (!isProject(directory)) {
    throw new UsageError(`there is no project in ${directory === '.' ? 'this directory' : directory}`, {
      fix: 'Make one with apisvc init, or name its directory with -C.',
    });
  }
  const registration = readRegistration(directory);
  const { existing, external } = registration.spec.server;
  if (existing || external) {
    throw new UsageError(
      `the server of this project ${existing ? 'is deployed by somebody else' : 'runs outside the cluster'}, so there is no Deployment to rehearse`,
      {
        fix: 'Rehearse a project with spec.server.image.',
      },
    );
  }
  const issued = requireCertificates(directory, registration, { withKey: true, now: new Date() });
  return { registration, issued, program: localProgram(command) };
}

/** The server that is a part of apisvc, with certificates of its own. */
export async function builtInGuest(): Promise<Guest> {
  const registration = parseRegistration(presetText('demo'), 'the preset demo');
  const { issued } = await issueCertificates(registration, { given: undefined, now: new Date() });
  return { registration, issued, program: demoProgram };
}

/** The image of the built-in server is there for every pod; the guest's program stands for the containers of its Deployment that are to run its image. */
export const programOf =
  (guest: Guest | undefined): ProgramOf =>
  ({ metadata }, { name, image }) => {
    const own = guest?.registration;
    if (own && metadata.namespace === own.metadata.namespace && name === own.metadata.name && image === own.spec.server.image)
      return guest.program;
    return image === demoImage ? demoProgram : undefined;
  };

/**
 * Registers the guest and verifies it, as `apisvc register` would, and writes the diagnosis to stdout.
 * @returns the exit code of the verdict; without --once, a registration that fails is told and is a negative verdict as well, for the sandbox goes on to be looked at
 * @throws what the registration throws, with --once; InterruptedError
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
    const { applied, diagnosis } = await withCluster(toSandbox, terminal, 'rehearsing', (cluster, signal) =>
      register(cluster, {
        registration,
        issued,
        objects,
        forceConflicts: false,
        signal,
        onProgress: (progress) => terminal.progress(progressLine(progress)),
      }),
    );
    terminal.progress(`${appliedSummary(applied)}\n`);
    await terminal.result(await renderDiagnosis(diagnosis, flags.output, terminal));
    return exitCodeOf(diagnosis);
  } catch (error) {
    if (flags.once && error instanceof RefusedError) throw new RefusedError(error.message, { fix: lookingAgain, cause: error.cause });
    if (flags.once || !(error instanceof ApisvcError) || error instanceof InterruptedError) throw error;
    terminal.progress([`error: ${error.message}`, ...(error.fix === undefined ? [] : [error.fix])].join('\n'));
    return Exit.findings;
  }
}
