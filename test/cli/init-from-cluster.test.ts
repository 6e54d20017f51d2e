import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folder } from '../unit/project/folder.ts';
import { apisvc, sampleProject } from './apisvc.ts';

const name = 'v1beta1.metrics.k8s.io';

test.each([
  [
    ['--preset', 'demo', '--api', 'a.example.com/v1', '--image', 'x', '--no-name-constraints'],
    '--from-cluster cannot be used with --preset, --api, --image and --no-name-constraints: it reads the configuration from the cluster, and creates no keys',
    'Remove --preset, --api, --image and --no-name-constraints, and edit apisvc.yaml afterwards.',
  ],
  [
    ['--force-keys'],
    '--from-cluster cannot be used with --force-keys: it reads the configuration from the cluster, and creates no keys',
    'Remove --force-keys, and edit apisvc.yaml afterwards.',
  ],
])('flags that contradict --from-cluster are one error: %j', async (flags, error, fix) => {
  const cwd = folder();
  expect(await apisvc(['init', 'demo', '--from-cluster', name, ...flags], { cwd })).toEqual({
    code: 2,
    stdout: '',
    stderr: `error: ${error}\nfix: ${fix}\n`,
  });
  expect(readdirSync(cwd)).toEqual([]);
});

test('flags that select a cluster need --from-cluster', async () => {
  const cwd = folder();
  expect(await apisvc(['init', 'demo', '--preset', 'demo', '--context', 'a', '--as', 'b'], { cwd })).toEqual({
    code: 2,
    stdout: '',
    stderr: 'error: --context and --as need --from-cluster\nfix: Add --from-cluster NAME, or remove --context and --as.\n',
  });
  expect(readdirSync(cwd)).toEqual([]);
});

test('a name that no APIService can have, and a cluster that cannot be reached', async () => {
  const cwd = folder();
  expect(await apisvc(['init', 'demo', '--from-cluster', 'Metrics'], { cwd })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('error: invalid APIService name "Metrics"\n'),
  });
  writeFileSync(join(cwd, 'empty'), '');
  const { code, stderr } = await apisvc(['init', 'demo', '--from-cluster', name, '--kubeconfig', 'empty'], { cwd });
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^error: .+\nfix: .+\n$/) });
  expect(readdirSync(cwd)).toEqual(['empty']);
});

test('an existing project stays, before the cluster is asked', async () => {
  const cwd = folder();
  await sampleProject(cwd);
  expect(await apisvc(['init', 'demo', '--from-cluster', name], { cwd })).toEqual({
    code: 1,
    stdout: '',
    stderr: 'error: demo/apisvc.yaml already exists\nfix: Replace it with --force, or choose another directory.\n',
  });
  expect(await apisvc(['init', 'demo', '--from-cluster', name, '--force'], { cwd })).toEqual({
    code: 1,
    stdout: '',
    stderr: 'error: demo/certs already contains keys or certificates\nfix: Choose another directory.\n',
  });
});
