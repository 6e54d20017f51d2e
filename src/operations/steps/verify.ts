import type { DiagnoseOptions, Diagnosis } from '../../diagnosis/types.ts';
import type { Step } from '../runner.ts';
import { verifyUntilHealthy } from '../verify.ts';
import type { Waiting } from '../wait.ts';

/**
 * The proxy and the discovery of kube-apiserver follow a registration shortly after its condition
 * reports Available. A fault that lasts longer is real.
 */
const promptMs = 10_000;

/**
 * In milliseconds. An API that was broken, because its certificate had expired, works again only
 * when kube-apiserver has checked it again, every 30 seconds
 * (kube-aggregator pkg/controllers/status/remote/remote_available_controller.go).
 */
export const recheckMs = 40_000;

interface Verifying extends Pick<DiagnoseOptions, 'clusterFlags' | 'project'> {
  readonly names: readonly string[];
  /** How long a fault may last, in milliseconds. */
  readonly settleMs?: number;
}

export interface VerifyStep extends Step {
  /** @throws Error before the step has run: a defect of apisvc */
  diagnosis(): Diagnosis;
}

/** The title of the step. */
export const verifying = 'Verifying';

/** Runs the checks of `apisvc verify`. It is never done: each run checks again. */
export function verifyStep({ cluster, signal }: Waiting, { names, clusterFlags, project, settleMs = promptMs }: Verifying): VerifyStep {
  let diagnosis: Diagnosis | undefined;
  return {
    id: 'verify',
    title: verifying,
    // What the user may not read is reported as not checked.
    needs: () => [],
    observe: async () => ({ state: 'pending' }),
    async run() {
      const verified = await verifyUntilHealthy(cluster, {
        wanted: { names },
        ...(clusterFlags === undefined ? {} : { clusterFlags }),
        ...(project === undefined ? {} : { project }),
        until: AbortSignal.timeout(settleMs),
        signal,
      });
      diagnosis = verified.diagnosis;
    },
    diagnosis() {
      if (!diagnosis) throw new Error('the step "verify" has not run');
      return diagnosis;
    },
  };
}
