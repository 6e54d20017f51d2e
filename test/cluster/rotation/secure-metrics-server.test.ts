import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { apisvc, kubectl } from '../harness/commands.ts';
import { program } from '../harness/programs.ts';
import { emptyFolder, kubectlOk } from '../harness/projects.ts';
import { cluster } from '../harness/provided.ts';
import { objectsBehind } from '../harness/secured.ts';
import { type LoadReport, startLoad } from '../harness/start-load.ts';
import { isThorough } from '../harness/thorough.ts';

/** `apisvc secure` and `--undo` on metrics-server, as its release manifests install it. */

const name = 'v1beta1.metrics.k8s.io';
const upstream = join(program(cluster.programs, 'manifests'), 'overlays', 'release');
const selector = 'k8s-app=metrics-server';

/**
 * Its only pod has no preStop hook, so that the request that meets its end may fail: the figure is
 * shown.
 */
async function underLoad(happen: () => Promise<unknown>): Promise<void> {
  const [{ metadata }] = JSON.parse(await kubectlOk(['get', 'nodes', '-o', 'json'])).items;
  const load = await startLoad({ path: '/apis/metrics.k8s.io/v1beta1/nodes', object: metadata.name, rate: 25, watch: false });
  let report: LoadReport;
  try {
    await happen();
  } finally {
    report = await load.stop();
  }
  const { requests, failures, byText } = report;
  console.log(JSON.stringify({ requests, failures, byText }));
  expect(failures).toBeLessThan(requests / 100);
  expect(byText.filter(({ text }) => !/^HTTP 503: |connection refused|connection reset|EOF/.test(text))).toEqual([]);
}

const helm = { 'app.kubernetes.io/managed-by': 'Helm', 'helm.sh/chart': 'metrics-server-3.13.0' };

const installers = {
  '1.37-routing': ['kubectl apply', {}, /deployment\/kube-system\/metrics-server was created with "kubectl apply"/],
  '1.35': [
    'Helm',
    helm,
    /Helm release metrics-server manages deployment\/kube-system\/metrics-server: the next upgrade may undo the change/,
  ],
} as const;
/** One of them on each version. APISVC_THOROUGH=1 tries both. */
const tried = Object.entries(installers)
  .filter(([cell]) => isThorough || cell === process.env.APISVC_CELL)
  .map(([, each]) => each);

describe.each(tried)('metrics-server installed with %s', (installer, labels, note) => {
  const home = emptyFolder();
  let before: readonly unknown[];
  const secure = (...more: readonly string[]) => apisvc(['secure', name, '--timeout', '3m', ...more], { cwd: home, timeout: 200_000 });

  beforeAll(async () => {
    // While an API is unavailable, rotations of other specs wait, so the server starts before.
    const objects = parseAllDocuments(await kubectlOk(['kustomize', upstream])).map((document) => document.toJS());
    const server = { apiVersion: 'v1', kind: 'List', items: objects.filter(({ kind }) => kind !== 'APIService') };
    await kubectlOk(['apply', '-f', '-'], server);
    await kubectlOk(['rollout', 'status', 'deployment/metrics-server', '-n', 'kube-system', '--timeout=80s']);
    await kubectlOk(['apply', '-k', upstream]);
    for (const kind of ['deployment', 'service']) {
      const object = [kind, 'metrics-server', '-n', 'kube-system'];
      if (installer !== 'Helm') continue;
      await kubectlOk(['label', ...object, ...Object.entries(labels).map(([key, value]) => `${key}=${value}`)]);
      await kubectlOk(['annotate', ...object, 'meta.helm.sh/release-name=metrics-server', 'meta.helm.sh/release-namespace=kube-system']);
    }
    await kubectlOk(['wait', '--for=condition=Available', `apiservice/${name}`, '--timeout=80s']);
    before = await objectsBehind('kube-system', [name], selector);
  });

  afterAll(async () => {
    await kubectl(['delete', '-k', upstream, '--ignore-not-found']);
  });

  test('shows the changes, which keep its arguments, and changes nothing', async () => {
    const { exitCode, stdout, stderr } = await secure('--diff');
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(note) });
    expect(stdout.split('\n').filter((line) => /^[-+] +- --/.test(line))).toEqual([
      '+            - --tls-cert-file=/var/run/serving-cert/tls.crt',
      '+            - --tls-private-key-file=/var/run/serving-cert/tls.key',
    ]);
    expect(stdout).toMatch(/^- {2}insecureSkipTLSVerify: true$/m);
    expect(await objectsBehind('kube-system', [name], selector)).toEqual(before);
  });

  test('is secured', () =>
    underLoad(async () => {
      const { exitCode, stdout, stderr } = await secure('--yes');
      expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`✓ ${name}: healthy`) });
    }));

  test('is restored exactly as it was', async () => {
    await underLoad(async () => {
      const { exitCode, stdout, stderr } = await secure('--undo', '--yes');
      expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: 0 });
    });
    expect(await objectsBehind('kube-system', [name], selector)).toEqual(before);
    expect(await kubectlOk(['get', 'secret', '-n', 'kube-system', 'metrics-server-tls', '--ignore-not-found'])).toBe('');
  });
});
