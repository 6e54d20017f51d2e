import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { ownPrefix } from '../../../../src/sandbox/real/owner.ts';
import { kubectl } from '../../harness/commands.ts';
import { cluster } from '../../harness/provided.ts';
import { remainsOf } from '../../harness/remains.ts';
import { removeOrphans } from '../../harness/run.ts';

/** A run that is starting, in a process group of its own. */
function startHolder() {
  const { kubernetes, aggregatorRouting } = cluster.cell;
  const holder = join(import.meta.dirname, '..', '..', 'harness', 'hold-run.mjs');
  const cell = `${kubernetes}${aggregatorRouting ? '-routing' : ''}`;
  const running = execa(process.execPath, [holder, cell], { stdin: 'pipe', stderr: 'inherit', detached: true, reject: false });
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
  ({ prefix }: Holder): boolean =>
    readdirSync(tmpdir()).some((name) => name.startsWith(prefix) && existsSync(join(tmpdir(), name, file)));

const hostRules = async (): Promise<string> => (await execa('iptables-save')).stdout.replaceAll(/^#.*|\[\d+:\d+\]$/gm, '');

test.each([
  ['its network was made', ({ prefix }: Holder) => readdirSync('/run/netns').some((name) => name.startsWith(prefix))],
  ['its namespaces were made', has('init.pid')],
  ['containerd started', has('containerd.sock')],
  ['kube-apiserver started', has('logs/kube-apiserver.log')],
  ['kubelet started', has('logs/kubelet.log')],
])('a run that was killed when %s leaves nothing once the next has started', async (_, moment) => {
  const holder = startHolder();
  await expect.poll(() => moment(holder), { timeout: 60_000, interval: 5 }).toBe(true);
  await kill(holder);
  await removeOrphans(); // the first thing that a start does
  expect(await remainsOf(holder.prefix)).toEqual([]);
});

test('a run that was killed with pods leaves none of them running, and the next starts', async () => {
  const rules = await hostRules();
  const killed = startHolder();
  const { kubeconfig } = JSON.parse(await firstLine(killed));
  const pod = ['run', 'etcd', '--image=registry.k8s.io/etcd:3.7.0-0', '--', '--data-dir=/tmp/data'];
  expect(await kubectl(pod, { kubeconfig })).toMatchObject({ exitCode: 0 });
  expect(await kubectl(['wait', '--for=condition=Ready', 'pod/etcd', '--timeout=30s'], { kubeconfig })).toMatchObject({ exitCode: 0 });
  expect((await remainsOf(killed.prefix)).filter((line) => line.startsWith('process ')).length).toBeGreaterThan(8);
  await kill(killed);

  const next = startHolder();
  expect(JSON.parse(await firstLine(next))).toMatchObject({ cell: cluster.cell });
  expect(await remainsOf(killed.prefix)).toEqual([]);
  await kill(next);
  await removeOrphans();
  expect(await remainsOf(next.prefix)).toEqual([]);
  expect(await hostRules()).toBe(rules);
});
