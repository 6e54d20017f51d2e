import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test, vi } from 'vitest';
import { cacheRoot } from '../../../../scripts/components.mjs';
import { ownPrefix } from '../../../../src/sandbox/shared/owner.ts';
import { kubectl } from '../../harness/commands.ts';
import { findLeftovers } from '../../harness/leftovers.ts';
import { cluster } from '../../harness/provided.ts';
import { removeOrphans } from '../../harness/run.ts';

/** Starts a run in a separate process group. */
function startHolder(env: Readonly<Record<string, string>> = {}) {
  const { kubernetes, aggregatorRouting } = cluster.cell;
  const holder = join(import.meta.dirname, '..', '..', 'harness', 'hold-run.mjs');
  const cell = `${kubernetes}${aggregatorRouting ? '-routing' : ''}`;
  const running = execa(process.execPath, [holder, cell], { stdin: 'pipe', stderr: 'inherit', detached: true, reject: false, env });
  const { pid = 0 } = running;
  return { running, pid, prefix: ownPrefix(pid) };
}

type Holder = ReturnType<typeof startHolder>;

async function kill({ running, pid }: Holder): Promise<void> {
  process.kill(-pid, 'SIGKILL');
  await running;
}

const firstLine = async ({ running }: Holder): Promise<string> => String((await running.iterable()[Symbol.asyncIterator]().next()).value);

/** Whether a file exists in the folder of a run. */
const has =
  (file: string) =>
  ({ prefix }: Pick<Holder, 'prefix'>): boolean =>
    readdirSync(tmpdir()).some((name) => name.startsWith(prefix) && existsSync(join(tmpdir(), name, file)));

const hostRules = async (): Promise<string> => (await execa('iptables-save')).stdout.replaceAll(/^#.*|\[\d+:\d+\]$/gm, '');

test.each([
  ['its network was created', ({ prefix }: Holder) => readdirSync('/run/netns').some((name) => name.startsWith(prefix))],
  ['its namespaces were created', has('init.pid')],
  ['it started to copy the image store', has('containerd')],
  ['containerd started', has('containerd.sock')],
  ['kube-apiserver started', has('logs/kube-apiserver.log')],
  ['kubelet started', has('logs/kubelet.log')],
])('the next start removes everything of a run that was killed after %s', async (_, condition) => {
  const holder = startHolder();
  await expect.poll(() => condition(holder), { timeout: 60_000, interval: 5 }).toBe(true);
  await kill(holder);
  await removeOrphans(); // the first step of a start
  expect(await findLeftovers(holder.prefix)).toEqual([]);
});

/** Creates a copy of the program cache without the images, on the same file system. */
function cacheWithoutImages(): string {
  const real = cacheRoot();
  const cache = mkdtempSync(join(real, '..', 'killed-spec-'));
  onTestFinished(() => rmSync(cache, { recursive: true }));
  const programs = readdirSync(real).filter((name) => !/^(images|apisvc)-/.test(name));
  for (const name of programs) symlinkSync(join(real, name), join(cache, name));
  return cache;
}

/** A PATH with a cp that does not end after it filled the copy in the cache, which takes ms. */
function pathWithEndlessCopy(cache: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'cp-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const script = `#!/bin/sh
PATH=\${PATH#*:}
cp "$@" || exit
for target; do :; done
case $target in ${cache}/*/root) exec sleep infinity ;; esac
`;
  writeFileSync(join(folder, 'cp'), script, { mode: 0o755 });
  return `${folder}:${process.env.PATH}`;
}

test('a run that was killed while it filled the image store leaves no incomplete store', async () => {
  const cache = cacheWithoutImages();
  vi.stubEnv('APISVC_COMPONENTS_CACHE', cache);
  onTestFinished(() => void vi.unstubAllEnvs());
  const holder = startHolder({ APISVC_COMPONENTS_CACHE: cache, PATH: pathWithEndlessCopy(cache) });
  const incomplete = () => readdirSync(cache).filter((name) => name.startsWith(holder.prefix));
  const filling = () => incomplete().some((name) => existsSync(join(cache, name, 'root')));
  await expect.poll(filling, { timeout: 150_000, interval: 200 }).toBe(true);
  await kill(holder);
  expect(readdirSync(cache).filter((name) => name.startsWith('images-'))).toEqual([]);

  // A recent one stays, because it could belong to a run in another container that shares the
  // cache.
  await removeOrphans();
  expect(incomplete()).toHaveLength(1);
  const hoursAgo = new Date(Date.now() - 2 * 3_600_000);
  for (const name of incomplete()) utimesSync(join(cache, name), hoursAgo, hoursAgo);
  await removeOrphans();
  expect(await findLeftovers(holder.prefix)).toEqual([]);
});

test('a run that was killed with running pods leaves no processes and does not prevent the next run', async () => {
  const rules = await hostRules();
  const killed = startHolder();
  const { kubeconfig } = JSON.parse(await firstLine(killed));
  const pod = ['run', 'etcd', '--image=registry.k8s.io/etcd:3.7.0-0', '--', '--data-dir=/tmp/data'];
  expect(await kubectl(pod, { kubeconfig })).toMatchObject({ exitCode: 0 });
  expect(await kubectl(['wait', '--for=condition=Ready', 'pod/etcd', '--timeout=80s'], { kubeconfig })).toMatchObject({ exitCode: 0 });
  expect((await findLeftovers(killed.prefix)).filter((line) => line.startsWith('process ')).length).toBeGreaterThan(8);
  await kill(killed);

  const next = startHolder();
  expect(JSON.parse(await firstLine(next))).toMatchObject({ cell: cluster.cell });
  expect(await findLeftovers(killed.prefix)).toEqual([]);
  await kill(next);
  await removeOrphans();
  expect(await findLeftovers(next.prefix)).toEqual([]);
  expect(await hostRules()).toBe(rules);
});
