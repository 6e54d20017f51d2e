import type { Cluster } from '../cluster/cluster.ts';
import type { RenewRequest } from '../operations/renew/request.ts';
import type { RotateResult } from '../operations/rotation/request.ts';
import type { RestartMode, RotationKind } from '../operations/rotation/rotation.ts';
import type { CaFlags } from './ca-flags.ts';
import type { ClusterFlags } from './cluster.ts';
import type { KeysFlag } from './keys-flag.ts';

export interface RotateFlags extends ClusterFlags, CaFlags, KeysFlag {
  readonly directory: string;
  readonly output: 'text' | 'json';
  readonly ca?: boolean;
  readonly abort?: boolean;
  readonly dryRun?: boolean;
  /** Milliseconds. */
  readonly ifExpiresWithin?: number;
  /** Milliseconds. */
  readonly soak: number;
  readonly restart: RestartMode;
  readonly nudge?: boolean;
  readonly forceConflicts?: boolean;
}

/** How the certificate of a project is replaced. */
export interface Way {
  readonly kind: RotationKind;
  readonly run: (cluster: Cluster, request: RenewRequest) => Promise<RotateResult>;
}
