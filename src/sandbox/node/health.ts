import { setTimeout as sleep } from 'node:timers/promises';
import { type ProbeTarget, runProbe } from './probes.ts';
import type { Json } from './registry.ts';

/** A user waits for a container that starts: it is probed this often, whatever its probes say. */
const startPeriodMs = 250;
const startMs = 10_000;

export interface Watching {
  readonly target: ProbeTarget;
  /** Aborts with the run of the container. */
  readonly signal: AbortSignal;
  readonly onReady: (ready: boolean) => void;
  /** Called for a probe that failed, with the message of its Event. */
  readonly onUnhealthy: (message: string) => void;
}

/**
 * Runs the probes of a container (k8s.io/kubernetes/pkg/kubelet/prober): first the startup probe,
 * then the other two. Startup and readiness ignore initialDelaySeconds and successThreshold.
 * @returns when the startup or the liveness probe demands a restart
 * @throws the reason of the signal
 */
export async function watchHealth({ startupProbe, readinessProbe, livenessProbe }: Json, watching: Watching): Promise<void> {
  const { signal, onReady } = watching;
  if (startupProbe) {
    const { periodSeconds = 10, failureThreshold = 3, initialDelaySeconds = 0 } = startupProbe;
    const deadline = performance.now() + (initialDelaySeconds + periodSeconds * failureThreshold) * 1000;
    if (!(await waitForSuccess('Startup', startupProbe, watching, deadline))) return;
  }
  const watchReadiness = async (): Promise<never> => {
    for (;;) {
      if (readinessProbe) await waitForSuccess('Readiness', readinessProbe, watching);
      onReady(true);
      if (!readinessProbe) return waitForAbort(signal);
      await waitForFailure('Readiness', readinessProbe, watching);
      onReady(false);
    }
  };
  const watchLiveness = async (): Promise<void> => {
    if (!livenessProbe) return waitForAbort(signal);
    await sleep((livenessProbe.initialDelaySeconds ?? 0) * 1000, undefined, { signal, ref: false });
    await waitForFailure('Liveness', livenessProbe, watching);
  };
  return Promise.race([watchReadiness(), watchLiveness()]);
}

/** Reports failures once a period. @returns false when the deadline passes first */
async function waitForSuccess(
  kind: 'Startup' | 'Readiness',
  probe: Json,
  { target, signal, onUnhealthy }: Watching,
  deadline = Number.POSITIVE_INFINITY,
): Promise<boolean> {
  const periodMs = (probe.periodSeconds ?? 10) * 1000;
  const start = performance.now();
  for (let next = start + periodMs; ; ) {
    const failure = await runProbe(probe, target);
    signal.throwIfAborted();
    if (failure === undefined) return true;
    const now = performance.now();
    if (now >= next || now >= deadline) {
      onUnhealthy(`${kind} probe failed: ${failure}`);
      next = now + periodMs;
    }
    if (now >= deadline) return false;
    await sleep(now - start < startMs ? startPeriodMs : 4 * startPeriodMs, undefined, { signal, ref: false });
  }
}

/** Waits until the probe has failed failureThreshold times in a row. */
async function waitForFailure(kind: 'Readiness' | 'Liveness', probe: Json, { target, signal, onUnhealthy }: Watching): Promise<void> {
  const { periodSeconds = 10, failureThreshold = 3 } = probe;
  for (let failures = 0; failures < failureThreshold; ) {
    await sleep(periodSeconds * 1000, undefined, { signal, ref: false });
    const failure = await runProbe(probe, target);
    signal.throwIfAborted();
    failures = failure === undefined ? 0 : failures + 1;
    if (failure !== undefined) onUnhealthy(`${kind} probe failed: ${failure}`);
  }
}

async function waitForAbort(signal: AbortSignal): Promise<never> {
  signal.throwIfAborted();
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
}
