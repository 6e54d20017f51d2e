import type { Step } from '../runner.ts';
import { poll, type Waiting } from '../wait.ts';

/**
 * Repeats a step while the cluster is not reachable: kube-apiserver may restart at any moment of a
 * rotation. Its observation and its run decide by what the cluster has, so that they can be
 * repeated.
 */
export function patientStep(step: Step, { signal, onProgress }: Pick<Waiting, 'signal' | 'onProgress'>): Step {
  const repeated = async <T>(attempt: () => Promise<T>): Promise<T> => {
    let last: string | undefined;
    const report = (state: string): void => {
      if (state !== last) onProgress({ kind: 'note', what: `${state}; trying again` });
      last = state;
    };
    const { value } = await poll({ signal, report }, async () => ({ value: await attempt() }));
    return value;
  };
  return { ...step, observe: () => repeated(step.observe), run: () => repeated(step.run) };
}
