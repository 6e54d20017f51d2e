import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { catalog } from '../../../src/diagnosis/catalog.ts';
import { monitorManifests } from '../../../src/manifests/monitor.ts';
import { manifestsYaml } from '../../../src/manifests/outputs/yaml.ts';
import { watchedResources } from '../../../src/operations/monitor/changes.ts';
import { buildInfo, counters, gauges, runDuration } from '../../../src/report/metrics.ts';
import { monitorRules } from '../../../src/snapshot/permissions.ts';

const manifests = monitorManifests({ namespace: 'watch', image: 'apisvc:1', rules: monitorRules(watchedResources) });
const text = manifestsYaml(manifests);

test('the objects of a monitor', async () => {
  await expect(text).toMatchFileSnapshot('snapshots/monitor.yaml');
});

test('its role allows no writes, and no Secrets and logs', () => {
  const rules = monitorRules(watchedResources);
  expect(new Set(rules.flatMap(({ verbs }) => verbs))).toEqual(new Set(['get', 'list', 'watch', 'create']));
  expect(rules.filter(({ verbs }) => verbs.includes('create')).flatMap(({ resources = [] }) => resources)).toEqual([
    'subjectaccessreviews',
  ]);
  const resources = rules.flatMap(({ resources: each = [] }) => each);
  for (const resource of ['secrets', 'pods/log', 'pods/portforward', 'services/proxy', '*']) expect(resources).not.toContain(resource);
});

test('the ServiceMonitor selects the Service, and a port of it', () => {
  // biome-ignore lint/suspicious/noExplicitAny: manifests.
  const find = (kind: string): any => manifests.find(({ object }) => object.kind === kind)?.object;
  const [service, { metadata, spec }] = [find('Service'), find('ServiceMonitor')];
  expect(service.metadata).toMatchObject({ namespace: metadata.namespace, labels: spec.selector.matchLabels });
  const ports = service.spec.ports.map(({ name }: { name: string }) => name);
  expect(spec.endpoints.map(({ port }: { port: string }) => port)).toEqual(ports);
});

const own = [...gauges, ...Object.values(counters), runDuration, buildInfo].map(({ name }) => name);
const known = new Set([...own, ...['bucket', 'sum', 'count'].map((suffix) => `${runDuration.name}_${suffix}`)]);
const metricsIn = (expression: string): string[] => expression.match(/\bapisvc_\w+/g) ?? [];

test('the alerts use metrics and findings that exist', () => {
  const rule = manifests.find(({ object }) => object.kind === 'PrometheusRule');
  const expressions = rule?.text.match(/^ +expr: (?:.*|\|-\n(?: {12}.*\n)+)$/gm) ?? [];
  expect(expressions.length).toBeGreaterThan(6);
  expect(expressions.flatMap(metricsIn).filter((name) => !known.has(name))).toEqual([]);
  const named = expressions.flatMap((expression) => /code=~"([^"]+)"/.exec(expression)?.[1]?.split('|') ?? []);
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((code) => !Object.hasOwn(catalog, code))).toEqual([]);
});

describe('the dashboard', () => {
  const dashboard = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'monitor-dashboard.json'), 'utf8'));
  // biome-ignore lint/suspicious/noExplicitAny: JSON of Grafana.
  const panels: any[] = dashboard.panels;

  test('has panels with distinct ids in a grid of 24 columns', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { title, type, gridPos, targets } of panels) {
      expect({ title, type, targets }).toEqual({ title: expect.any(String), type: expect.any(String), targets: expect.any(Array) });
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    }
  });

  test('reads from the datasource and the context that are chosen, and only metrics that exist', () => {
    const variables = dashboard.templating.list.map(({ name }: { name: string }) => name);
    expect(variables).toEqual(['datasource', 'context']);
    expect(known).toContain(/^label_values\((\w+), context\)$/.exec(dashboard.templating.list[1].query)?.[1]);
    for (const { datasource, targets } of panels) {
      expect(datasource.uid).toMatch(/^\$\{datasource\}$/);
      for (const { expr } of targets) {
        expect(metricsIn(expr).filter((name) => !known.has(name))).toEqual([]);
        expect(expr).toContain('{context=~"$context"');
      }
    }
    const used = panels.flatMap(({ targets }) => targets.flatMap(({ expr }: { expr: string }) => metricsIn(expr)));
    expect(used).toContain('apisvc_certificate_expiry_timestamp_seconds');
  });
});
