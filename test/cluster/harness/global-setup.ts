import type { TestProject } from 'vitest/node';
import { startRun } from './run.ts';

/** One control plane for all specs of the run; they keep apart by names of their own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { cluster, stop } = await startRun();
  project.provide('cluster', cluster);
  return () => stop(project.vitest.state.getFiles().some(({ result }) => result?.state === 'fail'));
}
