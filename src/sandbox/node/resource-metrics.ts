import { cpus, freemem, totalmem } from 'node:os';
import type { Usage } from '../shared/program.ts';
import type { PodRegistry } from './registry.ts';

interface Sample extends Usage {
  readonly labels: Readonly<Record<string, string>>;
}

const kinds = [
  ['cpu_usage_seconds_total', 'counter', 'Cumulative cpu time consumed in core-seconds', ({ cpuSeconds }: Usage) => cpuSeconds],
  ['memory_working_set_bytes', 'gauge', 'Current working set in bytes', ({ memoryBytes }: Usage) => memoryBytes],
] as const;

/**
 * `/metrics/resource` of a kubelet (k8s.io/kubernetes/pkg/kubelet/metrics/collectors/resource_metrics.go), which metrics-server reads: of the node what this machine
 * says of itself, of containers what their processes use. In the text format of Prometheus, with times.
 */
export function resourceMetrics(pods: PodRegistry, node: Usage, now: Date): string {
  const time = now.getTime();
  const containers: Sample[] = [];
  const starts: string[] = [];
  for (const { object, containers: own } of pods.values()) {
    for (const { name, state } of own) {
      const usage = state.kind === 'running' ? state.usage() : undefined;
      if (state.kind !== 'running' || !usage) continue;
      const labels = { container: name, namespace: object.metadata.namespace, pod: object.metadata.name };
      containers.push({ ...usage, labels });
      starts.push(`container_start_time_seconds${labelsOf(labels)} ${state.startedAt.getTime() / 1000}`);
    }
  }
  const family = (what: string, samples: readonly Sample[]): string[] =>
    kinds.flatMap(([name, type, help, value]) => [
      `# HELP ${what}_${name} ${help}`,
      `# TYPE ${what}_${name} ${type}`,
      ...samples.map((sample) => `${what}_${name}${labelsOf(sample.labels)} ${value(sample)} ${time}`),
    ]);
  const lines = [
    ...family('container', containers),
    '# HELP container_start_time_seconds Start time of the container since unix epoch in seconds',
    '# TYPE container_start_time_seconds gauge',
    ...starts,
    ...family('node', [{ ...node, labels: {} }]),
    '# HELP resource_scrape_error 1 if there was an error while getting container metrics, 0 otherwise',
    '# TYPE resource_scrape_error gauge',
    'resource_scrape_error 0',
  ];
  return `${lines.join('\n')}\n`;
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

/** What all of this machine has used so far: it is the node. */
export function machineUsage(): Usage {
  const busyMs = cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0);
  return { cpuSeconds: busyMs / 1000, memoryBytes: totalmem() - freemem() };
}
