import type { TestProject } from 'vitest/node';
import { cellOf } from '../cells.ts';
import { provideCluster } from '../global-setup.ts';

/**
 * Starts a cluster with a node, of the kind that APISVC_CELL names. APISVC_KUBELET_SYNC is the sync
 * frequency of its kubelet.
 */
export default (project: TestProject) =>
  provideCluster(project, { ...cellOf(process.env.APISVC_CELL), node: true, syncFrequency: process.env.APISVC_KUBELET_SYNC });
