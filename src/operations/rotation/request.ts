import type { Holder } from '../../cluster/rotation-lease.ts';
import type { Need } from '../../cluster/status.ts';
import type { ProjectCommands } from '../../config/project-commands.ts';
import type { Registration } from '../../config/schema.ts';
import type { Diagnosis } from '../../diagnosis/types.ts';
import type { PrivateKey } from '../../pki/private-key.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import type { CertificatesToWrite } from '../../project/project.ts';
import type { OnProgress } from '../progress.ts';
import type { CertificateSet, Rotation, RotationKind, RotationOptions } from './rotation.ts';

/** What `rotate` is asked to do. */
export interface RotateRequest extends RotationOptions {
  readonly dir: string;
  readonly registration: Registration;
  /** Whether the CA is replaced too. */
  readonly kind: RotationKind;
  readonly abort: boolean;
  /** Whether nothing may be written. */
  readonly dryRun: boolean;
  /**
   * Makes the next certificates. Called only where none are pending.
   * @param anchors the CA certificates in use
   * @throws UsageError where they cannot be made
   */
  readonly issue: (anchors: readonly CertificateInfo[]) => Promise<CertificatesToWrite>;
  /** The permissions that `issue` needs in the cluster. */
  readonly issueNeeds?: readonly Need[];
  /** The key of certs/tls.crt, where the user gives it. certs/tls.key is then not read. */
  readonly key?: PrivateKey | undefined;
  /**
   * Milliseconds. Nothing is rotated while the certificates in the cluster are valid for longer.
   */
  readonly ifExpiresWithin?: number | undefined;
  /** The flags that select the cluster, and the project, for the commands in fixes. */
  readonly clusterFlags: readonly string[];
  readonly project: ProjectCommands;
  /** This process. */
  readonly holder: Holder;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
  /** Called whenever the state of a step changes. */
  readonly onReport: (report: RotateReport) => void;
}

/**
 * How far a step is. In a plan, `done` needs nothing more. After a run, `done` is what the run did,
 * `skipped` what needed nothing, and `pending` what it did not finish.
 */
export interface StepReport {
  readonly id: string;
  readonly title: string;
  readonly state: 'done' | 'skipped' | 'failed' | 'pending';
}

/** How far a run is. */
export interface RotateReport {
  readonly kind: RotationKind;
  readonly steps: readonly StepReport[];
}

export interface RotateResult extends RotateReport {
  readonly outcome: 'rotated' | 'aborted' | 'discarded' | 'planned' | 'not-due' | 'nothing-to-abort';
  /** `back` after --abort. */
  readonly direction: Rotation['direction'];
  /** The certificate in use before, where it is known, and afterwards. */
  readonly from: CertificateSet | undefined;
  readonly to: CertificateSet | undefined;
  /** What was left of a rotation whose API is no longer registered. */
  readonly discarded?: readonly string[];
  /** Whether files that certs/ had lost were restored, though nothing was due. */
  readonly isRestored?: boolean;
  readonly diagnosis?: Diagnosis;
}
