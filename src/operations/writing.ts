import type { Cluster } from '../cluster/cluster.ts';
import type { Holder } from '../cluster/rotation-lease.ts';
import type { Registration } from '../config/schema.ts';
import { projectOf } from '../manifests/labels.ts';
import type { RotationCheck } from './rotation-in-progress.ts';
import { runSteps, type Step } from './runner.ts';
import { type AppliedPair, type ApplyStep, isContended } from './steps/apply.ts';
import { excludeRotations, type WriteLock } from './write-lock.ts';

/** The steps of an operation that writes the Secret and the caBundle. */
export interface WritingSteps {
  /** Up to the last one that writes. */
  readonly writes: readonly Step[];
  /** What is observed afterwards. */
  readonly results: readonly Step[];
  readonly all: readonly Step[];
}

/** The steps that change the cluster, which a dry run can check. */
export const isApplyStep = (step: Step): step is ApplyStep => 'pairs' in step;

export const pairsOf = (steps: readonly Step[]): AppliedPair[] => steps.filter(isApplyStep).flatMap((step) => step.pairs());

interface Writing extends RotationCheck {
  readonly registration: Registration;
  readonly holder: Holder;
}

/**
 * Runs the steps that write while no rotation can start, and then the others.
 * @param planned the steps after their dry run
 * @param stepsOf the same steps, with the lock
 * @returns the steps that ran
 * @throws as `excludeRotations` and `runSteps`
 */
export async function runWriting<Steps extends WritingSteps>(
  cluster: Cluster,
  { registration, ...writing }: Writing,
  planned: WritingSteps,
  stepsOf: (lock: WriteLock) => Steps,
): Promise<Steps> {
  const request = { ...writing, project: projectOf(registration), isContended: pairsOf(planned.all).some(isContended) };
  const steps = await excludeRotations(cluster, request, async (lock) => {
    const locked = stepsOf(lock);
    await runSteps(locked.writes, writing.onProgress);
    return locked;
  });
  await runSteps(steps.results, writing.onProgress);
  return steps;
}
