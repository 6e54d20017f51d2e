import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apisvc, kubectl } from '../harness/commands.ts';
import { program } from '../harness/programs.ts';
import { emptyFolder, kubectlOk } from '../harness/projects.ts';
import { cluster } from '../harness/provided.ts';
import { objectsBehind } from '../harness/secured.ts';
import { type LoadReport, startLoad } from '../harness/start-load.ts';

/** `apisvc secure` and `--undo` on metrics-server, as its release manifests install it. */

const name = 'v1beta1.metrics.k8s.io';
const upstream = join(program(cluster.programs, 'manifests'), 'overlays', 'release');
const selector = 'k8s-app=metrics-server';

/** Every change of metrics-server is one rollout of its only pod. */
async function underLoad(happen: () => Promise<unknown>): Promise<LoadReport> {
  const [{ metadata }] = JSON.parse(await kubectlOk(['get', 'nodes', '-o', 'json'])).items;
  const load = await startLoad({ path: '/apis/metrics.k8s.io/v1beta1/nodes', object: metadata.name, rate: 50, watch: false });
  try {
    await happen();
  } finally {
    console.log(JSON.stringify(await load.stop().catch(String)));
  }
  return {} as LoadReport;
}

describe('metrics-server, keeping its Deployment', () => {
  const home = emptyFolder();
  let before: readonly unknown[];
  const secure = (...more: readonly string[]) => apisvc(['secure', name, '--timeout', '3m', ...more], { cwd: home, timeout: 200_000 });

  beforeAll(async () => {
    await kubectlOk(['apply', '-k', upstream]);
    await kubectlOk(['wait', '--for=condition=Available', `apiservice/${name}`, '--timeout=80s']);
    before = await objectsBehind('kube-system', [name], selector);
  });

  afterAll(async () => {
    await kubectl(['delete', '-k', upstream, '--ignore-not-found', '--wait=false']);
  });

  test('shows the changes', async () => {
    const { exitCode, stdout, stderr } = await secure('--diff');
    writeFileSync('/tmp/secure/diff.txt', stderr + stdout);
    expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: 1 });
    expect(await objectsBehind('kube-system', [name], selector)).toEqual(before);
  });

  test('is secured', async () => {
    await underLoad(async () => {
      const { exitCode, stdout, stderr } = await secure('--yes');
      console.log(stderr, stdout);
      expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`✓ ${name}: healthy`) });
    });
  });

  test('is restored exactly as it was', async () => {
    await underLoad(async () => {
      const { exitCode, stdout, stderr } = await secure('--undo', '--yes');
      console.log(stderr, stdout);
      expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: 0 });
    });
    expect(await objectsBehind('kube-system', [name], selector)).toEqual(before);
    expect(await kubectlOk(['get', 'secret', '-n', 'kube-system', 'metrics-server-tls', '--ignore-not-found'])).toBe('');
  });
});
