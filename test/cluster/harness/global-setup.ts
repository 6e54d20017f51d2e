import type { TestProject } from 'vitest/node';
import { startRun, type Variant } from './run.ts';

/** One control plane for all specs of the run; they keep apart by names of their own. */
export default (project: TestProject) => provideCluster(project);

/** Starts a cluster and gives it to the specs. @returns what ends it, and keeps the logs when a spec failed */
export async function provideCluster(project: TestProject, variant?: Variant): Promise<() => Promise<void>> {
  const { cluster, stop } = await startRun(variant);
  project.provide('cluster', cluster);
  return () => stop(project.vitest.state.getFiles().some(({ result }) => result?.state === 'fail'));
}
