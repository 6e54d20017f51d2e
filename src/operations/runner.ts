import type { Need } from '../cluster/status.ts';
import { type ApisvcError, ClusterError, UsageError } from '../errors.ts';
import type { OnProgress } from './progress.ts';

/** What a step finds in the cluster before it runs. */
export type Observation =
  | { readonly state: 'done' }
  | { readonly state: 'pending' }
  /** The step must not run. Nothing was changed by this step. */
  | { readonly state: 'fault'; readonly error: ApisvcError };

/**
 * One step of an operation. The cluster decides whether it is done, so a second run, a run after a
 * crash and a run by another user do the same.
 */
export interface Step {
  /** Stable name, for example `apply-server`. */
  readonly id: string;
  /** The progress line, for example `Waiting for endpoints`. A step without one is silent. */
  readonly title?: string;
  /** The permissions that `observe` and `run` need. */
  needs(): readonly Need[];
  /** @throws ClusterError when the cluster cannot be asked; the reason of the signal */
  observe(): Promise<Observation>;
  /** Runs only after `observe` returned `pending`. @throws ApisvcError when the step fails */
  run(): Promise<void>;
  /** Reports what `observe` found, when the step is skipped because it is done. */
  reportDone?(): void;
}

/**
 * Observes steps without running them.
 * @throws ApisvcError with the faults of all steps, of the class that `combineErrors` chooses;
 * nothing was changed then
 */
export async function checkSteps(steps: readonly Step[]): Promise<void> {
  const faults: ApisvcError[] = [];
  for (const step of steps) {
    const observation = await step.observe();
    if (observation.state === 'fault') faults.push(observation.error);
  }
  if (faults.length > 0) throw withoutChanges(combineErrors(faults));
}

/**
 * Runs steps in order. Skips those that are done.
 * @throws the fault of the first step that has one; what `run` throws
 */
export async function runSteps(steps: readonly Step[], onProgress: OnProgress): Promise<void> {
  for (const step of steps) {
    if (step.title !== undefined) onProgress({ kind: 'step', what: step.title });
    const observation = await step.observe();
    if (observation.state === 'fault') throw observation.error;
    if (observation.state === 'pending') await step.run();
    else step.reportDone?.();
  }
}

/**
 * Combines several errors into one, in any order. A rejected object outweighs missing access, and
 * both outweigh a conflict, because no flag helps against them. Each fix has its own line, so that
 * a command at the end of one pastes cleanly.
 */
export function combineErrors(errors: readonly ApisvcError[]): ApisvcError {
  const weight = (error: ApisvcError): number => (error instanceof UsageError ? 2 : error instanceof ClusterError ? 1 : 0);
  const worst = errors.reduce((first, each) => (weight(each) > weight(first) ? each : first));
  const message = errors.map((error) => error.message).join('\n');
  const fix = [...new Set(errors.flatMap((error) => error.fix ?? []))].join('\n');
  return reword(worst, message, fix === '' ? undefined : fix);
}

/** The error of a check before anything is applied. */
export const withoutChanges = (error: ApisvcError, said = 'nothing was changed'): ApisvcError =>
  reword(error, `${error.message}\n${said}`, error.fix);

/** Changes the text of an error. Its class decides the exit code, so it stays. */
const reword = (error: ApisvcError, message: string, fix: string | undefined): ApisvcError => Object.assign(error, { message, fix });
