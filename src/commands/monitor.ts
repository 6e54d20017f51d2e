import { setMaxListeners } from 'node:events';
import { durationText } from '../config/duration.ts';
import { worstOf } from '../diagnosis/verdict.ts';
import { Exit, type ExitCode, InterruptedError } from '../errors.ts';
import { pauseBeforeFirst } from '../operations/monitor/pace.ts';
import { printable } from '../pki/printable.ts';
import { timeText } from '../pki/time-text.ts';
import { diagnosisHtml } from '../report/html.ts';
import { diagnosisJson } from '../report/json.ts';
import type { Monitored } from '../report/metrics.ts';
import { monitorPage } from '../report/monitor-page.ts';
import { withCluster } from './cluster.ts';
import { selectContexts } from './contexts.ts';
import { describeListen } from './listen.ts';
import { type Metrics, makeMetrics } from './monitor-metrics.ts';
import { type Page, type Pages, servePages, text } from './monitor-server.ts';
import { type MonitoredCluster, type MonitorFlags, monitorCluster } from './monitored-cluster.ts';
import type { Terminal } from './terminal.ts';

/**
 * `apisvc monitor`: verifies the APIServices of one or more clusters until it is terminated, and
 * serves what it finds. A cluster that fails does not end it.
 * @throws UsageError when the address cannot be listened on, or a context cannot be used
 */
export async function monitor(flags: MonitorFlags, version: string, terminal: Terminal): Promise<ExitCode> {
  // Each run and each watch of each cluster listens. Node.js would warn of a leak.
  setMaxListeners(0, terminal.interrupt);
  const contexts = await contextsOf(flags, terminal);
  const clusters: MonitoredCluster[] = [];
  const metrics = makeMetrics(() => clusters.map(({ state }) => state()), contexts, version);
  const say = (line: string): void => terminal.progress(printable(line));
  const server = await servePages(flags.listen, pagesOf(clusters, metrics), say);
  try {
    say(
      `serving on ${describeListen({ ...flags.listen, port: server.port })}, verifying every ${durationText(flags.interval)}: ${contexts.join(', ')}`,
    );
    for (const [index, context] of contexts.entries()) {
      const log = (line: string): void => say(`${timeText(new Date().toISOString())} ${context}: ${line}`);
      const firstMs = pauseBeforeFirst({ index, count: contexts.length }, Math.random());
      clusters.push(monitorCluster({ flags, context, metrics, terminal, firstMs, log }));
    }
    return await Promise.race(clusters.map(({ ended }) => ended));
  } catch (error) {
    // The usual ends: of a pod, and with the terminal.
    if (error instanceof InterruptedError && error.signal !== 'SIGINT') return Exit.ok;
    throw error;
  } finally {
    await server.close();
  }
}

/**
 * The names of the contexts, so that a new current context in the kubeconfig does not change what
 * is monitored. Reads the credentials, but sends no request: the clusters may be down.
 * @throws UsageError for a context that cannot be used; for a pattern, only if none can be used
 */
async function contextsOf(flags: MonitorFlags, terminal: Terminal): Promise<readonly string[]> {
  const { names, byPattern }: { readonly names: readonly (string | undefined)[]; readonly byPattern: boolean } = flags.context
    ? selectContexts(flags.context, flags.kubeconfig, terminal.env)
    : { names: [undefined], byPattern: false };
  const read = await Promise.allSettled(
    names.map((context) => withCluster({ ...flags, context }, terminal, 'reading the kubeconfig', async (cluster) => cluster.context)),
  );
  const failed = read.filter((each) => each.status === 'rejected');
  if (failed[0] && (!byPattern || failed.length === read.length)) throw failed[0].reason;
  const selected = read.flatMap((each, index) => (each.status === 'fulfilled' ? each.value : (names[index] ?? [])));
  return [...new Set(selected)];
}

/** @param clusters grows while the monitor starts */
function pagesOf(clusters: readonly MonitoredCluster[], metrics: Metrics): Pages {
  const states = (): readonly Monitored[] => clusters.map(({ state }) => state());
  const started = (): boolean => clusters.length > 0;
  const ready = (): boolean => started() && clusters.every(({ hasRun }) => hasRun());
  return {
    '/metrics': async () => ({ type: metrics.contentType, body: await metrics.text() }),
    '/healthz': () => (started() && clusters.every(({ onTime }) => onTime()) ? text('ok') : text('a run for a cluster is overdue', 503)),
    '/readyz': () => (ready() ? text('ok') : notReady),
    '/report.json': () => (ready() ? { type: 'application/json', body: reportJson(states()) } : notReady),
    '/': (query) => html(states(), query.get('context')),
  };
}

const notReady = text('the first run has not ended', 503);

/**
 * The same format for one cluster and for several: that of `verify -o json` with several contexts.
 */
const reportJson = (clusters: readonly Monitored[]): string =>
  diagnosisJson({
    apiVersion: 'apisvc.dev/diagnosis-list/v1alpha1',
    verdict: worstOf(clusters.map(({ last, error }) => (error === undefined ? last?.diagnosis.verdict : undefined) ?? 'unknown')),
    clusters: clusters.map(({ context, last, error }) => ({
      context,
      ...(last ? { diagnosis: last.diagnosis } : {}),
      ...(error === undefined ? {} : { error }),
    })),
  });

/**
 * The report of one cluster; the list of clusters where there are several, or the last run failed.
 */
function html(clusters: readonly Monitored[], context: string | null): Page {
  const [only] = clusters;
  const chosen = clusters.find((each) => each.context === context);
  if (context !== null && !chosen) return text('not found', 404);
  const shown = chosen ?? (clusters.length === 1 && only?.error === undefined ? only : undefined);
  return { type: 'text/html; charset=utf-8', body: shown?.last ? diagnosisHtml(shown.last.diagnosis) : monitorPage(clusters) };
}
