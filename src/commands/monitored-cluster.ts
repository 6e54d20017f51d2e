import { connect } from '../cluster/cluster.ts';
import { countRequests } from '../cluster/count-requests.ts';
import { redacted } from '../config/redact.ts';
import { certificateExpiry } from '../diagnosis/certificate-expiry.ts';
import { clusterFlagsOf } from '../diagnosis/fix.ts';
import type { ApiDiagnosis, Diagnosis } from '../diagnosis/types.ts';
import { ApisvcError } from '../errors.ts';
import { concernsOf, watchChanges } from '../operations/monitor/changes.ts';
import { createEvent } from '../operations/monitor/events.ts';
import { type Look, repeatLooks } from '../operations/monitor/looks.ts';
import { paceAfter } from '../operations/monitor/pace.ts';
import { changedApis } from '../operations/monitor/state-changes.ts';
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
  /** Whether the looks are in time. */
  readonly onTime: () => boolean;
  /** Whether a first look has ended, also when it failed. */
  readonly looked: () => boolean;
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
  /** Writes a line about this cluster. */
  readonly log: (line: string) => void;
}

/** A look that ends this much after its time limit still is in time. In milliseconds. */
const graceMs = 30_000;

/** Starts to look at a cluster. */
export function monitorCluster(of: MonitorContext): MonitoredCluster {
  const { flags, context, metrics, terminal } = of;
  let state: Monitored = { context };
  let concerns = concernsOf(undefined);
  let dueAt = Number.POSITIVE_INFINITY;
  let startedAt = 0;
  const onRequest = (): void => metrics.countRequest(context);
  const looks = repeatLooks<Verified>({
    look: (signal, onRequestOfLook) => {
      startedAt = performance.now();
      return lookAt(of, signal, () => {
        onRequest();
        onRequestOfLook();
      });
    },
    onLook: async (look) => {
      metrics.countLook(context, { seconds: (performance.now() - startedAt) / 1000, failed: 'error' in look });
      const before = state;
      state = stateAfter(before, look);
      if ('found' in look) concerns = concernsOf(look.found.snapshot);
      await report(of, before, state);
    },
    onDue: (ms) => {
      dueAt = performance.now() + ms + graceMs;
    },
    pace: (cost) => paceAfter(cost, flags.interval, Math.random()),
    timeoutMs: flags.timeout,
    signal: terminal.interrupt,
  });
  const changes = watchChanges({
    connect: async (signal) => countRequests(await connect({ ...flags, context }, terminal.env, signal), onRequest),
    concerns: (object) => concerns(object),
    onChange: looks.changed,
    onRefused: ({ message }) => of.log(`note: changes are only found after --interval: ${redacted(message)}`),
    signal: terminal.interrupt,
  });
  return {
    state: () => state,
    onTime: () => performance.now() < dueAt,
    looked: () => state.last !== undefined || state.error !== undefined,
    ended: Promise.race([looks.ended, changes]),
  };
}

async function lookAt({ flags, context, terminal }: MonitorContext, signal: AbortSignal, onRequest: () => void): Promise<Verified> {
  return withCluster({ ...flags, context }, { env: terminal.env, interrupt: signal }, 'verifying all APIServices', (cluster, until) =>
    verifyUntilHealthy(countRequests(cluster, onRequest), {
      wanted: { all: true },
      // A list needs a permission for each API, and logs are not for everybody who can read a
      // report.
      probe: 'none',
      logs: false,
      clusterFlags: clusterFlagsOf({ ...flags, context: flags.context && context }),
      until: AbortSignal.abort(),
      signal: until,
    }),
  );
}

function stateAfter({ context, last }: Monitored, look: Look<Verified>): Monitored {
  if ('error' in look) return { context, ...(last ? { last } : {}), error: redacted(look.error.message) };
  const { snapshot, diagnosis } = look.found;
  return {
    context,
    last: {
      diagnosis,
      certificates: new Map(snapshot.apis.map((api) => [api.name, certificateExpiry(api)])),
      rotating: new Set(snapshot.apis.flatMap(({ name, rotation }) => (rotation && seen(rotation) ? [name] : []))),
    },
  };
}

/** Logs what has changed, and creates Events with --events. */
async function report(of: MonitorContext, before: Monitored, after: Monitored): Promise<void> {
  if (after.error !== undefined) {
    if (after.error !== before.error) of.log(`look failed: ${after.error}`);
    return;
  }
  const { last } = after;
  if (!last) return;
  if (before.error !== undefined || !before.last) of.log(await summaryOf(last.diagnosis));
  const changed = changedApis(before.last?.diagnosis, last.diagnosis);
  for (const api of changed) of.log(await lineOf(api, last.diagnosis));
  if (of.flags.events && before.last) await createEvents(of, changed);
}

const summaryOf = async (diagnosis: Diagnosis): Promise<string> => {
  const { countLine } = await import('../report/verdict.ts');
  return countLine(diagnosis.apis, diagnosis.source);
};

async function lineOf(api: ApiDiagnosis, diagnosis: Diagnosis): Promise<string> {
  const { apiLine } = await import('../report/short.ts');
  return apiLine(api, diagnosis.source);
}

/** An Event that cannot be created is no reason to stop. */
async function createEvents({ flags, context, terminal, metrics, log }: MonitorContext, changed: readonly ApiDiagnosis[]): Promise<void> {
  if (changed.length === 0) return;
  try {
    await withCluster({ ...flags, context }, terminal, 'creating Events', async (cluster, signal) => {
      const counted = countRequests(cluster, () => metrics.countRequest(context));
      for (const api of changed) await createEvent(counted, api, new Date(), signal);
    });
  } catch (error) {
    terminal.interrupt.throwIfAborted();
    if (!(error instanceof ApisvcError)) throw error;
    log(`Event not created: ${redacted(error.message)}`);
  }
}
