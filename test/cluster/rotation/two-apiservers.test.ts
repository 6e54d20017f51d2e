import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { kubeApiserverCommand } from '../../../src/sandbox/real/components.ts';
import { enter } from '../../../src/sandbox/real/network.ts';
import { placeIn } from '../../../src/sandbox/real/place.ts';
import { answers } from '../../../src/sandbox/real/ready.ts';
import { type RunningProcess, startProcess } from '../../../src/sandbox/shared/process.ts';
import { type AnyApiProject, installAnyApiProject } from '../harness/any-api-project.ts';
import { apisvc, kubectl } from '../harness/commands.ts';
import { processesWith } from '../harness/processes.ts';
import { program } from '../harness/programs.ts';
import { emptyFolder, kubectlOk, waitForOutput } from '../harness/projects.ts';
import { cluster } from '../harness/provided.ts';
import { expectAgreement, expectNoFailure, underLoad } from '../harness/rotations.ts';
import { startLoad } from '../harness/start-load.ts';

/**
 * Two kube-apiservers on one etcd. Nothing of the CA that one of them may not know yet is served,
 * and a rotation goes on while the one that it talks to restarts.
 */

const name = 'two-apiservers';
const port = 6444;
const takingUp = /==> Waiting for every kube-apiserver/;
const identities = ['get', 'leases', '-n', 'kube-system', '-l', 'apiserver.kubernetes.io/identity=kube-apiserver', '-o', 'name'];
let project: AnyApiProject;
let second: RunningProcess;
let lease: string;
let kubeconfig: string;

/** Its Lease is named after the host, so it needs a host name of its own. */
const start = (): RunningProcess => {
  const place = placeIn(cluster.network);
  const programs = { etcd: '', kubeApiserver: program(cluster.programs, 'kube-apiserver'), kubeControllerManager: undefined };
  const own = { ...place, ports: { ...place.ports, apiserver: port } };
  const { aggregatorRouting } = cluster.cell;
  const flags = ['--endpoint-reconciler-type=none'];
  return startProcess({
    name: 'second-kube-apiserver',
    command: kubeApiserverCommand(programs, cluster.files, { place: own, aggregatorRouting, flags }),
    enter: [...enter(cluster.network), 'unshare', '--uts', 'sh', '-c', 'hostname second && exec "$@"', 'sh'],
    logFile: join(cluster.logDir, 'second-kube-apiserver.log'),
  });
};

const waiting = { timeout: 60_000, interval: 500 };
const ready = () =>
  vi.waitFor(async () => expect(await answers(`https://${cluster.network.address}:${port}/readyz`, {})).toBe(true), waiting);

/** The process ID of the second kube-apiserver. Other clusters of this machine have other state. */
function secondPid(): number {
  const own = processesWith(`--tls-cert-file=${cluster.files.serving.cert}`);
  const pid = processesWith(`--secure-port=${port}`).find((each) => own.includes(each));
  if (pid === undefined) throw new Error('the second kube-apiserver does not run');
  return pid;
}

beforeAll(async () => {
  const before = (await kubectlOk(identities)).split('\n');
  second = start();
  await ready();
  await vi.waitFor(async () => expect((await kubectlOk(identities)).split('\n')).toHaveLength(before.length + 1), waiting);
  lease = (await kubectlOk(identities)).split('\n').find((each) => !before.includes(each)) ?? '';
  kubeconfig = join(emptyFolder(), 'kubeconfig');
  writeFileSync(
    kubeconfig,
    readFileSync(cluster.kubeconfig, 'utf8').replaceAll(cluster.server, `https://${cluster.network.address}:${port}`),
  );
  project = await installAnyApiProject({ name, flags: ['--close-connections'] });
});

afterAll(async () => {
  await second?.stop();
  // Every later rotation would wait for it.
  if (lease) await kubectl(['delete', '-n', 'kube-system', lease]);
  await kubectl(['delete', 'apiservice', project.apiService, '--ignore-not-found']);
  await kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait=false']);
});

const rotate = (...flags: readonly string[]) =>
  apisvc(['rotate', '-C', project.dir, '--ca', '--soak', '1s', ...flags], { timeout: 170_000 });

test('a kube-apiserver that lags behind is named and awaited before the Secret is written', async () => {
  const secret = () => kubectlOk(['get', 'secret', '-n', name, `${name}-tls`, '-o', 'jsonpath={.data.tls\\.crt}']);
  const before = await secret();
  const pid = secondPid();
  const report = await underLoad(project, async () => {
    process.kill(pid, 'SIGSTOP');
    const running = rotate();
    try {
      const lagging = new RegExp(
        `not renewed yet: Lease ${lease.replace(/^.*\//, '')}\\. If that kube-apiserver no longer exists: kubectl`,
      );
      await waitForOutput(running, lagging);
      expect(await secret()).toBe(before);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await ready();
    const throughSecond = await startLoad({ ...project.target, rate: 20, kubeconfig });
    const { exitCode, stderr } = await running;
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expectNoFailure(await throughSecond.stop());
  });
  expectNoFailure(report);
  await expectAgreement(project, name);
});

test('a rotation goes on while its kube-apiserver restarts', async () => {
  const report = await underLoad(project, async () => {
    const running = rotate('--kubeconfig', kubeconfig);
    await waitForOutput(running, takingUp);
    await second.stop();
    second = start();
    const { exitCode, stderr } = await running;
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  });
  expectNoFailure(report);
  await expectAgreement(project, name);
});
