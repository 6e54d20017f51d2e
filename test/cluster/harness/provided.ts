import { inject } from 'vitest';
import type { ControlPlaneAccess } from '../../../src/sandbox/real/control-plane.ts';
import type { Network } from '../../../src/sandbox/real/network.ts';
import type { Cell } from './cells.ts';
import type { Programs } from './programs.ts';

/** The control plane that all specs share. Plain data, because specs run in separate processes. */
export interface Cluster extends ControlPlaneAccess {
  readonly network: Network;
  /** A folder for files of the specs; removed at the end of the run. */
  readonly stateDir: string;
  /** For servers in the network namespace; not reachable from the host. */
  readonly etcdUrl: string;
  /** The result of requirePrograms. */
  readonly programs: Programs;
  /** The kind of cluster that runs. */
  readonly cell: Cell;
}

declare module 'vitest' {
  interface ProvidedContext {
    cluster: Cluster;
  }
}

export const cluster: Cluster = inject('cluster');

// Specs run in a child process of vitest. Without this, it and the servers that it started survive
// an interrupted run.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
