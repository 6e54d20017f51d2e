import type { Cluster } from '../cluster/cluster.ts';
import type { Holder } from '../cluster/rotation-lease.ts';
import type { Registration } from '../config/schema.ts';
import { RefusedError } from '../errors.ts';
import { projectOf } from '../manifests/labels.ts';
import { caBundleOf } from '../pki/anchors.ts';
import type { Issued } from '../pki/types.ts';
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

/** The certificates that a run writes. */
export interface CertificatesToWrite {
  /** As they were read before the Lease was held. */
  readonly issued: Issued | undefined;
  /**
   * Reads them again.
   * @throws RefusedError where a rotation has begun; UsageError where they are gone
   */
  readonly readAgain: () => Promise<Issued | undefined>;
}

interface Writing extends RotationCheck, CertificatesToWrite {
  readonly registration: Registration;
  readonly holder: Holder;
}

/**
 * Runs the steps that write while no rotation can start, and then the others. A rotation that ended
 * since the certificates were read is not rolled back.
 * @param planned the steps after their dry run
 * @param stepsOf the same steps, with the lock
 * @returns the steps that ran
 * @throws RefusedError where the certificates changed; as `excludeRotations` and `runSteps`
 */
export async function runWriting<Steps extends WritingSteps>(
  cluster: Cluster,
  { registration, issued, readAgain, ...writing }: Writing,
  planned: WritingSteps,
  stepsOf: (lock: WriteLock) => Steps,
): Promise<Steps> {
  const recheck = async (): Promise<void> => {
    if (textOf(await readAgain()) !== textOf(issued)) throw replaced();
  };
  const request = { ...writing, project: projectOf(registration), isContended: pairsOf(planned.all).some(isContended), recheck };
  const steps = await excludeRotations(cluster, request, async (lock) => {
    const locked = stepsOf(lock);
    await runSteps(locked.writes, writing.onProgress);
    return locked;
  });
  await runSteps(steps.results, writing.onProgress);
  return steps;
}

/** The key belongs to the certificate. */
const textOf = (issued: Issued | undefined): string => (issued ? `${issued.chain}\n${caBundleOf(issued)}` : '');

const replaced = (): RefusedError =>
  new RefusedError('the certificates of the project were replaced after this command read them', {
    fix: 'Run the same command again.',
  });
