import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, expect, onTestFinished, test, vi } from 'vitest';
import { stringify } from 'yaml';
import { resourceList, serveHttps, unusedPort } from './harness/backends.ts';
import { makeCa, makeLeaf, pair, pem, validForDays } from './harness/certificates.ts';
import { kubectl } from './harness/commands.ts';
import { dashboardFile, dashboardQueries, renderedMonitor, startMonitor, startPrometheus, waiting } from './harness/monitor.ts';
import { program } from './harness/programs.ts';
import { emptyFolder, kubectlOk } from './harness/projects.ts';
import { cluster } from './harness/provided.ts';
import { apiServiceNameOf, groupOf, handMade } from './harness/registrations.ts';
import { isThorough } from './harness/thorough.ts';

/** What Prometheus and Grafana do with the files for `apisvc monitor`. */

const name = 'scraped';
const apiservice = apiServiceNameOf(name);

afterAll(async () => {
  await kubectl(['delete', 'apiservice', apiservice, '--ignore-not-found']);
  await kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait=false']);
});

// biome-ignore lint/suspicious/noExplicitAny: manifests.
const alerts = async (): Promise<any> => (await renderedMonitor(name)).byKind.get('PrometheusRule').spec;

async function runs(tool: string, args: readonly string[], cwd: string): Promise<void> {
  const { exitCode, stdout, stderr } = await execa(program(cluster.programs, tool), args, { cwd, reject: false });
  expect({ args, exitCode, output: stdout + stderr }).toMatchObject({ exitCode: 0 });
}

test('the alerts are valid, and fire; the queries of the dashboard are valid', async () => {
  const dir = emptyFolder();
  await writeFile(join(dir, 'rules.yaml'), stringify(await alerts()));
  const rules = dashboardQueries().map(({ expr }, index) => ({ record: `query:${index}`, expr }));
  await writeFile(join(dir, 'queries.yaml'), stringify({ groups: [{ name: 'dashboard', rules }] }));
  await copyFile(join(import.meta.dirname, '..', 'fixtures', 'monitor', 'alerts.yaml'), join(dir, 'alerts.yaml'));
  await runs('promtool', ['check', 'rules', '--lint=all', '--lint-fatal', 'rules.yaml', 'queries.yaml'], dir);
  await runs('promtool', ['test', 'rules', 'alerts.yaml'], dir);
});

test('the dashboard has the fields and the types of the schema of Grafana', async () => {
  await runs('grafana-schema', [dashboardFile], emptyFolder());
});

if (isThorough) {
  test('Prometheus scrapes a monitor: the alert of a dead API fires and ends, and every panel shows something', async () => {
    const ca = await makeCa('scraped CA');
    const leaf = await makeLeaf(`${name}.${name}.svc`, ca, { when: validForDays(90) });
    const port = await unusedPort();
    const serve = () => serveHttps(pair(leaf), { body: resourceList(`${groupOf(name)}/v1`, 'things') }, port);
    let server = await serve();
    onTestFinished(() => server.stop());
    await kubectlOk(['create', 'namespace', name]);
    const items = Object.values(handMade({ namespace: name, service: name, port, ca: pem(ca) }));
    await kubectlOk(['create', '-f', '-'], { apiVersion: 'v1', kind: 'List', items });
    const { address } = await startMonitor(cluster.kubeconfig);

    const dir = emptyFolder();
    const { groups } = await alerts();
    // biome-ignore lint/suspicious/noExplicitAny: manifests.
    const soon = groups.map((group: any) => ({ ...group, rules: group.rules.map((rule: any) => ({ ...rule, for: '1s' })) }));
    await writeFile(join(dir, 'rules.yaml'), stringify({ groups: soon }));
    const configuration = {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: ['rules.yaml'],
      scrape_configs: [{ job_name: 'apisvc', static_configs: [{ targets: [address] }] }],
    };
    await writeFile(join(dir, 'prometheus.yml'), stringify(configuration));
    const url = await startPrometheus(dir, '--config.file=prometheus.yml');

    // biome-ignore lint/suspicious/noExplicitAny: JSON of Prometheus.
    const get = async (path: string): Promise<any> => ((await (await fetch(`${url}${path}`)).json()) as any).data;
    const untilBroken = (state: 'firing' | undefined) =>
      vi.waitFor(async () => {
        const { alerts: pending } = await get('/alerts');
        // biome-ignore lint/suspicious/noExplicitAny: as above.
        const own = pending.find(({ labels }: any) => labels.alertname === 'ApisvcAPIBroken' && labels.apiservice === apiservice);
        expect(own?.state).toBe(state);
      }, waiting);
    const empty = new Set(dashboardQueries().map(({ title }) => title));
    const untilShown = (...except: string[]) =>
      vi.waitFor(async () => {
        for (const { title, expr } of dashboardQueries()) {
          const { result } = await get(`/query?query=${encodeURIComponent(expr.replaceAll('$context', '.*'))}`);
          if (result.length > 0) empty.delete(title);
        }
        expect([...empty]).toEqual(except);
      }, waiting);

    await untilShown('Findings');
    await server.stop();
    await untilBroken('firing');
    await untilShown();
    server = await serve();
    await untilBroken(undefined);
  });
}
