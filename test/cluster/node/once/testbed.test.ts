import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, expect, test } from 'vitest';
import { kubectl } from '../../harness/commands.ts';
import { emptyFolder } from '../../harness/projects.ts';
import { cluster } from '../../harness/provided.ts';
import { remainsOf } from '../../harness/remains.ts';

const script = join(import.meta.dirname, '..', '..', '..', '..', 'scripts', 'testbed.mjs');

/** Testbeds are found in the folder for temporary files; in one of our own we see and end no others. */
const env = { TMPDIR: emptyFolder() };
const testbed = (...args: string[]) => execa(process.execPath, [script, ...args], { env, reject: false, timeout: 90_000 });

afterAll(() => testbed('down'));

test('a testbed stays until it is taken down, which leaves nothing', async () => {
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
  expect(status.stdout).toMatch(new RegExp(`^Kubernetes ${version?.[0]}.*, up for 0 min: KUBECONFIG=${kubeconfig}$`));
  expect(await remainsOf(prefix)).not.toEqual([]);

  expect(await testbed('down')).toMatchObject({ exitCode: 0, stderr: 'Ended 1; nothing is left.' });
  expect(await remainsOf(prefix)).toEqual([]);
  expect(await testbed('status')).toMatchObject({ exitCode: 0, stdout: 'No testbed runs. Start one: npm run testbed -- up' });
});

test('what does not exist is refused', async () => {
  expect(await testbed('up', '--kubernetes=1.20')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('1.37, 1.35') });
  expect(await testbed('sideways')).toMatchObject({ exitCode: 2 });
});
