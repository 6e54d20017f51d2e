import { setTimeout as sleep } from 'node:timers/promises';
import { look, type ProbeTarget } from './probes.ts';
import type { Json } from './registry.ts';

/** Somebody waits for a container that starts: it is looked at more often than its probes say, for the first seconds most often. */
const eagerMs = 250;
const lessEagerMs = 1_000;
const eagerForMs = 10_000;

export interface Watching {
  readonly target: ProbeTarget;
  /** Ends with the run of the container. */
  readonly signal: AbortSignal;
  readonly onReady: (ready: boolean) => void;
  /** An Event's words for a probe that failed: `Readiness probe failed: ...`. */
  readonly onUnhealthy: (words: string) => void;
}

/**
 * Watches the probes of a container that runs (k8s.io/kubernetes/pkg/kubelet/prober): first the startup probe, then the other two side by side. Startup and readiness are looked at
 * four times a second at first, without initialDelaySeconds, until they pass.
 * @returns when it has to be restarted, which may be never: the failure that is the reason, `startup probe` or `liveness probe`
 * @throws the signal's reason
 */
export async function watchHealth({ startupProbe, readinessProbe, livenessProbe }: Json, watching: Watching): Promise<string> {
  const { signal, target, onReady, onUnhealthy } = watching;
  if (startupProbe) {
    const { periodSeconds = 10, failureThreshold = 3, initialDelaySeconds = 0 } = startupProbe;
    const giveUp = performance.now() + (initialDelaySeconds + periodSeconds * failureThreshold) * 1000;
    if (!(await untilWell(startupProbe, { ...watching, what: 'Startup', giveUp }))) return 'startup probe';
  }
  const readiness = async (): Promise<never> => {
    for (;;) {
      if (readinessProbe) await untilWell(readinessProbe, { ...watching, what: 'Readiness', giveUp: Number.POSITIVE_INFINITY });
      onReady(true);
      if (!readinessProbe) return never(signal);
      await untilUnwell(readinessProbe, { target, signal, onFailure: (words) => onUnhealthy(`Readiness probe failed: ${words}`) });
      onReady(false);
    }
  };
  const liveness = async (): Promise<string> => {
    if (!livenessProbe) return never(signal);
    await sleep((livenessProbe.initialDelaySeconds ?? 0) * 1000, undefined, { signal, ref: false });
    await untilUnwell(livenessProbe, { target, signal, onFailure: (words) => onUnhealthy(`Liveness probe failed: ${words}`) });
    return 'liveness probe';
  };
  return Promise.race([readiness(), liveness()]);
}

interface Eager extends Watching {
  readonly what: 'Startup' | 'Readiness';
  readonly giveUp: number;
}

/** Looks until it is well. Failures are told as often as the probe would look. @returns false when it was given up */
async function untilWell(probe: Json, { target, signal, what, giveUp, onUnhealthy }: Eager): Promise<boolean> {
  const periodMs = (probe.periodSeconds ?? 10) * 1000;
  const begun = performance.now();
  for (let next = begun + periodMs; ; ) {
    const failure = await look(probe, target);
    signal.throwIfAborted();
    if (failure === undefined) return true;
    const now = performance.now();
    if (now >= next || now >= giveUp) {
      onUnhealthy(`${what} probe failed: ${failure}`);
      next = now + periodMs;
    }
    if (now >= giveUp) return false;
    await sleep(now - begun < eagerForMs ? eagerMs : lessEagerMs, undefined, { signal, ref: false });
  }
}

interface Steady {
  readonly target: ProbeTarget;
  readonly signal: AbortSignal;
  readonly onFailure: (words: string) => void;
}

/** Looks until it has failed failureThreshold times in a row. */
async function untilUnwell(probe: Json, { target, signal, onFailure }: Steady): Promise<void> {
  const { periodSeconds = 10, failureThreshold = 3 } = probe;
  for (let failures = 0; failures < failureThreshold; ) {
    await sleep(periodSeconds * 1000, undefined, { signal, ref: false });
    const failure = await look(probe, target);
    signal.throwIfAborted();
    failures = failure === undefined ? 0 : failures + 1;
    if (failure !== undefined) onFailure(failure);
  }
}

async function never(signal: AbortSignal): Promise<never> {
  signal.throwIfAborted();
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
}
