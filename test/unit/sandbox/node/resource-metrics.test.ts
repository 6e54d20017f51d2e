import { expect, test } from 'vitest';
import { createLog } from '../../../../src/sandbox/node/log.ts';
import { machineUsage, resourceMetrics } from '../../../../src/sandbox/node/resource-metrics.ts';
import { containerOf, onNode, podOf } from './objects.ts';

test('the node and the containers that run are told with times, others not', () => {
  const startedAt = new Date('2030-01-01T00:00:00Z');
  const log = createLog(
    () => startedAt,
    () => {},
  );
  const state = (usage: () => { cpuSeconds: number; memoryBytes: number } | undefined) =>
    ({ kind: 'running', startedAt, log, usage }) as const;
  const used = containerOf({ state: state(() => ({ cpuSeconds: 1.5, memoryBytes: 4096 })) });
  const untold = containerOf({ name: 'untold', state: state(() => undefined) });
  const pods = new Map([['uid', onNode(podOf('pod'), used, untold, containerOf({ name: 'waiting' }))]]);
  const text = resourceMetrics(pods, { cpuSeconds: 100, memoryBytes: 8192 }, new Date('2030-01-01T00:00:10Z'));
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(samples).toEqual([
    'container_cpu_usage_seconds_total{container="server",namespace="ns",pod="pod"} 1.5 1893456010000',
    'container_memory_working_set_bytes{container="server",namespace="ns",pod="pod"} 4096 1893456010000',
    'container_start_time_seconds{container="server",namespace="ns",pod="pod"} 1893456000',
    'node_cpu_usage_seconds_total 100 1893456010000',
    'node_memory_working_set_bytes 8192 1893456010000',
    'resource_scrape_error 0',
  ]);
  expect(new Set(text.match(/^# TYPE (\S+)/gm)).size).toBe(6);
});

test('this machine uses something', () => {
  const { cpuSeconds, memoryBytes } = machineUsage();
  expect(Math.min(cpuSeconds, memoryBytes)).toBeGreaterThan(0);
});
