import type { Holder } from '../../cluster/rotation-lease.ts';
import type { ProjectCommands } from '../../config/project-commands.ts';
import type { Registration } from '../../config/schema.ts';
import type { CaPair } from '../../manifests/ca-secret.ts';
import type { KubeObject } from '../../manifests/types.ts';
import type { OnProgress } from '../progress.ts';
import type { OthersSecretStep } from '../steps/others-secret.ts';
import type { Waiting } from '../wait.ts';
import type { BeforeWrite } from '../write-lock.ts';
import type { CertificatesToWrite } from '../writing.ts';

/** What `register` is asked to do. */
export interface RegisterRequest extends CertificatesToWrite {
  readonly registration: Registration;
  /** In apply order: those of `manifestsToRegister`, or a part of them. */
  readonly objects: readonly KubeObject[];
  /** Whether another tool applies the other objects, and the other fields of the APIServices. */
  readonly isPart?: boolean;
  /** The CA whose private key moves to a Secret, which is one of the objects. */
  readonly ca?: CaPair | undefined;
  readonly forceConflicts: boolean;
  /** The flags that select the cluster, for the commands in fixes. */
  readonly clusterFlags?: readonly string[];
  /** For the same commands. */
  readonly project?: ProjectCommands;
  readonly holder: Holder;
  /** Aborted by the deadline or by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/** What the steps of one run share. */
export interface RegisterRun {
  readonly waiting: Waiting;
  readonly request: RegisterRequest;
  readonly beforeWrite: BeforeWrite | undefined;
  /** The Secret of others; undefined where apisvc signs, and where there is none. */
  readonly others: OthersSecretStep | undefined;
}

export const isApiService = ({ kind }: KubeObject): boolean => kind === 'APIService';
export const isDeployment = ({ kind }: KubeObject): boolean => kind === 'Deployment';
