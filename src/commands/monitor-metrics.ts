import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { buildInfo, counters, gauges, type Monitored, runDuration } from '../report/metrics.ts';

/** The metrics of a monitor, for Prometheus. */
export interface Metrics {
  readonly contentType: string;
  /** In the text format of Prometheus. */
  text(): Promise<string>;
  countRequest(context: string): void;
  countRun(context: string, run: { readonly seconds: number; readonly failed: boolean }): void;
}

const contextLabel = ['context'];

/**
 * Makes the metrics. Gauges are computed for each scrape, so that the series of an APIService or a
 * pod end when it is gone.
 * @param clusters what is known now
 */
export function makeMetrics(clusters: () => readonly Monitored[], contexts: readonly string[], version: string): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({ ...buildInfo, labelNames: ['version'], registers }).set({ version }, 1);
  for (const { name, help, labels, samples } of gauges) {
    new Gauge({
      ...{ name, help, registers },
      labelNames: [...contextLabel, ...labels],
      collect() {
        this.reset();
        for (const cluster of clusters())
          for (const { labels: own, value } of samples(cluster)) this.set({ context: cluster.context, ...own }, value);
      },
    });
  }
  const counterOf = (of: keyof typeof counters): Counter => {
    const counter = new Counter({ ...counters[of], labelNames: contextLabel, registers });
    // So that the first increase is seen as one.
    for (const context of contexts) counter.inc({ context }, 0);
    return counter;
  };
  const runs = counterOf('runs');
  const failures = counterOf('failures');
  const requests = counterOf('requests');
  const { name, help, buckets } = runDuration;
  const duration = new Histogram({ name, help, buckets: [...buckets], labelNames: contextLabel, registers });
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    countRequest: (context) => requests.inc({ context }),
    countRun: (context, { seconds, failed }) => {
      runs.inc({ context });
      if (failed) failures.inc({ context });
      duration.observe({ context }, seconds);
    },
  };
}
