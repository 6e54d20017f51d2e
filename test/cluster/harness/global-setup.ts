import type { TestProject } from 'vitest/node';
import { startRun, type Variant } from './run.ts';

/** Starts one control plane for all specs. Each spec uses separate names for its objects. */
export default (project: TestProject) => provideCluster(project);

/**
 * Starts a cluster and provides it to the specs.
 * @returns a function that stops it, and keeps the logs if a spec failed
 */
export async function provideCluster(project: TestProject, variant?: Variant): Promise<() => Promise<void>> {
  const { cluster, stop } = await startRun(variant);
  project.provide('cluster', cluster);
  return () => stop(project.vitest.state.getFiles().some(({ result }) => result?.state === 'fail'));
}
