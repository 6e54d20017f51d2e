import { pause } from '../cluster/backoff.ts';
import { type Cluster, connect } from '../cluster/cluster.ts';
import { countRequests } from '../cluster/count-requests.ts';
import { redacted } from '../config/redact.ts';
import { certificateExpiry } from '../diagnosis/certificate-expiry.ts';
import { clusterFlagsOf } from '../diagnosis/fix.ts';
import type { ApiDiagnosis, Diagnosis } from '../diagnosis/types.ts';
import { concernsOf, watchChanges } from '../operations/monitor/changes.ts';
import { createEvents } from '../operations/monitor/events.ts';
import { paceAfter } from '../operations/monitor/pace.ts';
import { repeatRuns } from '../operations/monitor/runs.ts';
import { changedApis, mayResolveSoon } from '../operations/monitor/state-changes.ts';
import { type Verified, verifyUntilHealthy } from '../operations/verify.ts';
import type { Monitored } from '../report/metrics.ts';
import { seen } from '../snapshot/observed.ts';
import { type ClusterFlags, withCluster } from './cluster.ts';
import type { ListenAddress } from './listen.ts';
import type { Metrics } from './monitor-metrics.ts';
import type { Terminal } from './terminal.ts';

export interface MonitorFlags extends Omit<ClusterFlags, 'context' | 'directory'> {
  readonly context?: readonly string[];
  readonly listen: ListenAddress;
  /** Milliseconds. */
  readonly interval: number;
  readonly events?: boolean;
}

/** One cluster of a monitor. */
export interface MonitoredCluster {
  readonly state: () => Monitored;
  /** Whether the runs are in time. */
  readonly onTime: () => boolean;
  /** Whether a first run has ended, even if it failed. */
  readonly hasRun: () => boolean;
  /**
   * Never resolves.
   * @throws the reason of the signal; errors that are not failures of the cluster
   */
  readonly ended: Promise<never>;
}

export interface MonitorContext {
  readonly flags: MonitorFlags;
  /** The name of the context, also where --context is not given. */
  readonly context: string;
  readonly metrics: Metrics;
  readonly terminal: Terminal;
  /** The pause before the first run and the watches, in ms. */
  readonly firstMs: number;
  /** Writes a line about this cluster. */
  readonly log: (line: string) => void;
}

/** A run that ends this much after its time limit still is in time. In milliseconds. */
const graceMs = 30_000;

/** Starts to verify a cluster repeatedly. */
export function monitorCluster(of: MonitorContext): MonitoredCluster {
  const { flags, context, metrics, terminal, firstMs } = of;
  let state: Monitored = { context };
  let concerns = concernsOf(undefined);
  let dueAt = Number.POSITIVE_INFINITY;
  let startedAt = 0;
  const onRequest = (): void => metrics.countRequest(context);
  const runs = repeatRuns<Verified>({
    run: (signal, onRequestOfRun) => {
      startedAt = performance.now();
      return verifyOnce(of, signal, {
        onRequest: () => {
          onRequest();
          onRequestOfRun();
        },
        onFound: async (found, cluster, until) => {
          const before = state;
          state = { context, last: lastOf(found) };
          concerns = concernsOf(found.snapshot);
          const changed = await reportChanges(of, before, found.diagnosis);
          if (flags.events && before.last) await createEvents(cluster, changed, { signal: until, log: of.log });
        },
      });
    },
    mayResolveSoon: ({ diagnosis }) => mayResolveSoon(diagnosis),
    onRun: (run) => {
      metrics.countRun(context, { seconds: (performance.now() - startedAt) / 1000, failed: 'error' in run });
      if (!('error' in run)) return;
      const error = redacted(run.error.message);
      if (error !== state.error) of.log(`run failed: ${error}`);
      state = { ...state, error };
    },
    onDue: (ms) => {
      dueAt = performance.now() + ms + graceMs;
    },
    pace: (cost) => paceAfter(cost, flags.interval, Math.random()),
    firstMs,
    timeoutMs: flags.timeout,
    signal: terminal.interrupt,
  });
  const watch = async (): Promise<never> => {
    await pause(firstMs, terminal.interrupt);
    return watchChanges({
      connect: async (signal) =>
        countRequests(await connect({ ...flags, context, trace: terminal.trace }, terminal.env, signal), onRequest),
      concerns: (object) => concerns(object),
      onChange: runs.changed,
      onRefused: ({ message }) =>
        of.log(`note: failed to watch for changes, so they are found only after --interval: ${redacted(message)}`),
      signal: terminal.interrupt,
    });
  };
  return {
    state: () => state,
    onTime: () => performance.now() < dueAt,
    hasRun: () => state.last !== undefined || state.error !== undefined,
    ended: Promise.race([runs.ended, watch()]),
  };
}

interface OneRun {
  readonly onRequest: () => void;
  /** Called within the time limit of the run. */
  readonly onFound: (found: Verified, cluster: Cluster, signal: AbortSignal) => Promise<void>;
}

async function verifyOnce(
  { flags, context, terminal }: MonitorContext,
  signal: AbortSignal,
  { onRequest, onFound }: OneRun,
): Promise<Verified> {
  const ends = { env: terminal.env, trace: terminal.trace, interrupt: signal };
  return withCluster({ ...flags, context }, ends, 'verifying all APIServices', async (connected, until) => {
    const cluster = countRequests(connected, onRequest);
    const found = await verifyUntilHealthy(cluster, {
      wanted: { all: true },
      // A list needs a permission for each API, and logs are not for everybody who can read a
      // report.
      probe: 'none',
      logs: false,
      clusterFlags: clusterFlagsOf({ ...flags, context: flags.context && context }),
      until: AbortSignal.abort(),
      signal: until,
    });
    await onFound(found, cluster, until);
    return found;
  });
}

const lastOf = ({ snapshot, diagnosis }: Verified): NonNullable<Monitored['last']> => ({
  diagnosis,
  certificates: new Map(snapshot.apis.map((api) => [api.name, certificateExpiry(api)])),
  rotating: new Set(snapshot.apis.flatMap(({ name, rotation }) => (rotation && seen(rotation) ? [name] : []))),
});

/** Logs what has changed. @returns the APIs that have */
async function reportChanges(of: MonitorContext, before: Monitored, diagnosis: Diagnosis): Promise<readonly ApiDiagnosis[]> {
  if (before.error !== undefined || !before.last) of.log(await summaryOf(diagnosis));
  const changed = changedApis(before.last?.diagnosis, diagnosis);
  for (const api of changed) of.log(await lineOf(api, diagnosis));
  return changed;
}

const summaryOf = async (diagnosis: Diagnosis): Promise<string> => {
  const { countLine } = await import('../report/verdict.ts');
  return countLine(diagnosis.apis, diagnosis.source);
};

async function lineOf(api: ApiDiagnosis, diagnosis: Diagnosis): Promise<string> {
  const { apiLine } = await import('../report/short.ts');
  return apiLine(api, diagnosis.source);
}
