import type { RotationLock } from '../../cluster/lease.ts';
import type { Journal } from '../../cluster/rotation-lease.ts';
import { InterruptedError } from '../../errors.ts';
import type { Step } from '../runner.ts';
import type { Waiting } from '../wait.ts';
import { patientStep } from './patient.ts';
import { requireWritable } from './preconditions.ts';
import type { RotateReport, RotateRequest, StepReport } from './request.ts';
import type { Rotation, RotationKind } from './rotation.ts';

interface Running extends Pick<Waiting, 'signal' | 'onProgress'>, Pick<RotateRequest, 'onReport'> {
  readonly kind: RotationKind;
  /** All steps that the report names. */
  readonly all: readonly Step[];
}

/** Runs steps, and keeps their states. */
export interface StepRunner {
  /**
   * Runs steps in order. Prints only what is done now: a step that was done before the first one
   * that ran is one short line.
   * @param before is called before each step
   * @throws the fault of the first step that has one; what `before` and `run` throw
   */
  run(steps: readonly Step[], before?: (step: Step) => Promise<void>): Promise<void>;
  /** Corrects the state of a step. */
  mark(step: Step, state: StepReport['state']): void;
  report(): RotateReport;
}

export function stepRunner({ kind, all, signal, onProgress, onReport }: Running): StepRunner {
  const states = new Map<string, StepReport['state']>();
  let hasRun = false;
  const report = (): RotateReport => ({
    kind,
    steps: all.map(({ id, title = id }) => ({ id, title, state: states.get(id) ?? 'pending' })),
  });
  const mark = ({ id }: Step, state: StepReport['state']): void => {
    states.set(id, state);
    onReport(report());
  };
  const runStep = async (step: Step, before: (step: Step) => Promise<void>): Promise<void> => {
    const what = step.title ?? step.id;
    let announced = false;
    const announce = (): void => {
      if (!announced) onProgress({ kind: 'step', what });
      announced = true;
    };
    try {
      await before(step);
      const observation = await step.observe();
      if (observation.state === 'fault') throw observation.error;
      // Pods may follow the Secret at once: this run did that.
      if (observation.state === 'pending' || hasRun) announce();
      else onProgress({ kind: 'skipped', what });
      if (observation.state === 'pending') {
        hasRun = true;
        await step.run();
      }
      mark(step, observation.state === 'pending' ? 'done' : 'skipped');
    } catch (error) {
      announce();
      mark(step, signal.reason instanceof InterruptedError ? 'pending' : 'failed');
      throw error;
    }
  };
  onReport(report());
  return {
    async run(steps, before = async () => {}) {
      for (const step of steps) await runStep(step, before);
    },
    mark,
    report,
  };
}

/** A rotation and its steps, in order. */
export interface Planned {
  readonly rotation: Rotation;
  readonly steps: readonly Step[];
  /** ISO 8601. */
  readonly started: string;
}

/** Runs the steps. The Lease says which one runs, for `verify` and for whoever comes next. */
export async function runRecorded(runner: StepRunner, { rotation, steps, started }: Planned, lock: RotationLock): Promise<void> {
  const patient = steps.map((step) => patientStep(step, rotation));
  let checked = false;
  await runner.run(patient, async (step) => {
    // Only certificates that are on disk can be in use.
    if (step.id === 'issue') return;
    if (!checked) await requireWritable(patient);
    checked = true;
    // The plan counts the checks at the end too.
    await lock.record(journalOf(rotation, step, { number: patient.indexOf(step) + 1, steps: steps.length + 1, started }));
  });
}

/** The steps of a rotation before the one that writes the Secret. */
const beforeSecret: readonly string[] = ['ca-key', 'trust-both', 'uptake'];

const journalOf = (
  { kind, direction, from, to, neverServed }: Rotation,
  { id, title = id }: Step,
  progress: Pick<Journal, 'number' | 'steps' | 'started'>,
): Omit<Journal, 'holder'> => {
  const [old, fresh] = direction === 'forward' ? [from, to] : [to, from];
  return {
    kind,
    direction,
    step: id,
    title,
    ...progress,
    ...(old ? { oldCertificate: old.leaf } : {}),
    ...(fresh ? { newCertificate: fresh.leaf } : {}),
    ...(neverServed && (direction === 'back' || beforeSecret.includes(id)) ? { neverServed } : {}),
  };
};
