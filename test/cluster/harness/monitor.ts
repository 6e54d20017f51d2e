import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, vi } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { endAfterTest } from '../../end-after-test.ts';
import { apisvc } from './commands.ts';
import { program } from './programs.ts';
import { cluster } from './provided.ts';

/** What `render --monitor` prints: as text, and as objects by kind. */
export async function renderedMonitor(namespace: string) {
  const { exitCode, stdout, stderr } = await apisvc(['render', '--monitor', '-n', namespace, '--image', 'none']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const objects = parseAllDocuments(stdout).map((document) => document.toJS());
  // biome-ignore lint/suspicious/noExplicitAny: manifests.
  return { text: stdout, byKind: new Map<string, any>(objects.map((object) => [object.kind, object])) };
}

export const waiting = { timeout: 60_000, interval: 250 };

/** Starts `apisvc monitor` until the test ends. @returns also its stderr, and where it serves */
export async function startMonitor(kubeconfig: string, ...flags: string[]) {
  const args = ['monitor', '--listen', '127.0.0.1:0', '--interval', '5s', ...flags];
  const running = apisvc(args, { env: { KUBECONFIG: kubeconfig }, timeout: 170_000 });
  const said = endAfterTest(running);
  const address = await vi.waitFor(() => /^serving on (127\.0\.0\.1:\d+)/.exec(said())?.[1] ?? expect.fail(said()), waiting);
  return { running, said, address };
}

/** Starts Prometheus until the end of the test. @returns the URL of its API */
export async function startPrometheus(dir: string, ...flags: string[]): Promise<string> {
  const args = [...flags, `--storage.tsdb.path=${join(dir, 'data')}`, '--web.listen-address=127.0.0.1:0'];
  const running = execa(program(cluster.programs, 'prometheus'), args, { cwd: dir, reject: false });
  const said = endAfterTest(running);
  const address = await vi.waitFor(() => /msg="Listening on".* address=(\S+)/.exec(said())?.[1] ?? expect.fail(said()), waiting);
  return `http://${address}/api/v1`;
}

export const dashboardFile = join(import.meta.dirname, '..', '..', '..', 'docs', 'monitor-dashboard.json');

/** The queries of the dashboard, each with the title of its panel. */
export function dashboardQueries(): { readonly title: string; readonly expr: string }[] {
  const { panels } = JSON.parse(readFileSync(dashboardFile, 'utf8'));
  // biome-ignore lint/suspicious/noExplicitAny: JSON of Grafana.
  return panels.flatMap(({ title, targets }: any) => targets.map(({ expr }: any) => ({ title, expr })));
}
