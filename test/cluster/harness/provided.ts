import { inject } from 'vitest';
import type { ControlPlaneAccess } from '../../../src/sandbox/real/control-plane.ts';
import type { Network } from '../../../src/sandbox/real/network.ts';
import type { Cell } from './cells.ts';
import type { Programs } from './programs.ts';

/** What the run's control plane gives to every spec; plain data, for specs run in processes of their own. */
export interface Cluster extends ControlPlaneAccess {
  readonly network: Network;
  /** Removed at the end of the run, with everything that specs put there. */
  readonly stateDir: string;
  /** For servers inside the namespace; the host does not reach it. */
  readonly etcdUrl: string;
  /** From requirePrograms. */
  readonly programs: Programs;
  /** Which Kubernetes this is. */
  readonly cell: Cell;
}

declare module 'vitest' {
  interface ProvidedContext {
    cluster: Cluster;
  }
}

export const cluster: Cluster = inject('cluster');

// Specs run in a child process of vitest, which would carry on after an interrupted run, and so would the servers that it started.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
