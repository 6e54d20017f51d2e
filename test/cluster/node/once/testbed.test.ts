import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, expect, test } from 'vitest';
import { kubectl } from '../../harness/commands.ts';
import { findLeftovers } from '../../harness/leftovers.ts';
import { emptyFolder } from '../../harness/projects.ts';
import { cluster } from '../../harness/provided.ts';

const script = join(import.meta.dirname, '..', '..', '..', '..', 'scripts', 'testbed.mjs');

/** A separate temporary folder, so that this spec does not list or stop other testbeds. */
const env = { TMPDIR: emptyFolder() };
const testbed = (...args: string[]) => execa(process.execPath, [script, ...args], { env, reject: false, timeout: 150_000 });

afterAll(() => testbed('down'));

test('a testbed runs until down, which removes everything', async () => {
  const { kubernetes, aggregatorRouting } = cluster.cell;
  const up = await testbed('up', `--kubernetes=${kubernetes}`, ...(aggregatorRouting ? ['--aggregator-routing'] : []));
  expect(up).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^export KUBECONFIG=\S+$/) });
  const kubeconfig = up.stdout.replace('export KUBECONFIG=', '');
  const [prefix = ''] = /apisvc-\d+-\d+-/.exec(kubeconfig.slice(env.TMPDIR.length)) ?? [];

  const version = /v(1\.\d+)\.\d+/.exec(up.stderr);
  expect(version?.[1]).toBe(kubernetes);
  expect((await kubectl(['get', 'nodes', '--no-headers'], { kubeconfig })).stdout).toMatch(
    new RegExp(`^node +Ready .* ${version?.[0]}\n$`),
  );
  const status = await testbed('status');
  expect(status.stdout).toMatch(new RegExp(`^Kubernetes ${version?.[0]}.*, up for \\d min: KUBECONFIG=${kubeconfig}$`));
  expect(await findLeftovers(prefix)).not.toEqual([]);

  expect(await testbed('down')).toMatchObject({ exitCode: 0, stderr: 'Stopped and removed: 1' });
  expect(await findLeftovers(prefix)).toEqual([]);
  expect(await testbed('status')).toMatchObject({ exitCode: 0, stdout: 'No testbed is running. Start one: npm run testbed -- up' });
});

test('unknown versions and commands are refused', async () => {
  expect(await testbed('up', '--kubernetes=1.20')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('1.37, 1.35') });
  expect(await testbed('sideways')).toMatchObject({ exitCode: 2 });
});
