import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { kubeApiserverCommand } from '../../../../src/sandbox/real/components.ts';
import { enter } from '../../../../src/sandbox/real/network.ts';
import { placeIn } from '../../../../src/sandbox/real/place.ts';
import { answers } from '../../../../src/sandbox/real/ready.ts';
import { type RunningProcess, startProcess } from '../../../../src/sandbox/shared/process.ts';
import { type AnyApiProject, installAnyApiProject, removeAnyApiProject } from '../../harness/any-api-project.ts';
import { apisvc, kubectl } from '../../harness/commands.ts';
import { processesWith } from '../../harness/processes.ts';
import { program } from '../../harness/programs.ts';
import { emptyFolder, kubectlOk, waitForOutput } from '../../harness/projects.ts';
import { cluster } from '../../harness/provided.ts';
import { expectAgreement, expectNoFailure, underLoad } from '../../harness/rotations.ts';
import { registerSlow } from '../../harness/slow-server.ts';
import { type LoadReport, startLoad } from '../../harness/start-load.ts';

/**
 * Two kube-apiservers on one etcd. Nothing of the CA that one of them may not know yet is served,
 * and a rotation goes on while the one that it talks to restarts. Both rotations wait two minutes,
 * because nothing tells what holds the other kube-apiserver up, so that they run at the same time.
 * They name an API that fails and one that is slow.
 */

const name = 'two-apiservers';
const restarted = 'restarted-apiserver';
const missing = 'v1.missing.example.com';
const port = 6444;
const takingUp = /==> Waiting for every kube-apiserver/;
const identities = ['get', 'leases', '-n', 'kube-system', '-l', 'apiserver.kubernetes.io/identity=kube-apiserver', '-o', 'name'];
let project: AnyApiProject;
let other: AnyApiProject;
let slow: Awaited<ReturnType<typeof registerSlow>>;
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
  const flags = ['--close-connections'];
  [project, other, slow] = await Promise.all([
    installAnyApiProject({ name, flags }),
    installAnyApiProject({ name: restarted, flags }),
    registerSlow('slow-openapi', { path: '/openapi/v3/apis', ms: 3_000 }),
  ]);
  // A server needs longer for its document the first time. The notes are only about the slow one.
  for (const { apiService } of [project, other]) {
    const document = ['get', '--raw', `/openapi/v3/apis/${apiService.replace('v1.', '')}/v1`];
    await vi.waitFor(() => kubectlOk(document), { ...waiting, timeout: 90_000 });
  }
  const spec = {
    group: missing.replace('v1.', ''),
    version: 'v1',
    service: { namespace: 'default', name: 'missing' },
    groupPriorityMinimum: 1000,
    versionPriority: 10,
  };
  await kubectlOk(['create', '-f', '-'], {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: missing },
    spec,
  });
  await kubectlOk(['wait', '--for=condition=Available=False', `apiservice/${missing}`, '--timeout=60s']);
});

afterAll(async () => {
  await second?.stop();
  await kubectl(['delete', 'apiservice', missing, '--ignore-not-found']);
  await slow?.stop();
  // Every later rotation would wait for it.
  if (lease) await kubectl(['delete', '-n', 'kube-system', lease]);
  await removeAnyApiProject(project, name);
  await removeAnyApiProject(other, restarted);
});

const rotate = ({ dir }: AnyApiProject, ...flags: readonly string[]) =>
  apisvc(['rotate', '-C', dir, '--ca', '--soak', '1s', ...flags], { timeout: 400_000 });

const secretOf = (of: string) => kubectlOk(['get', 'secret', '-n', of, `${of}-tls`, '-o', 'jsonpath={.data.tls\\.crt}']);

/** Stops the second kube-apiserver, and continues it when the rotation has named it. */
async function lagBehind(running: ReturnType<typeof rotate>, pid: number): Promise<void> {
  const before = await secretOf(name);
  try {
    const lagging = new RegExp(
      `not renewed yet: Lease ${lease.replace(/^.*\//, '')}\\. If this kube-apiserver no longer exists, delete its Lease: kubectl`,
    );
    await waitForOutput(running, lagging);
    expect(await secretOf(name)).toBe(before);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await ready();
}

/** Restarts the second kube-apiserver while a rotation talks to it. */
async function restart(running: ReturnType<typeof rotate>): Promise<void> {
  await waitForOutput(running, takingUp);
  await second.stop();
  second = start();
  await ready();
}

async function expectRotated(running: ReturnType<typeof rotate>): Promise<void> {
  const { exitCode, stderr } = await running;
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(blind) });
}

const blind = 'note: waiting 2m10s: GET /metrics shows for only one of 2 kube-apiservers whether it is still processing APIServices';

test('a kube-apiserver that lags behind is named and awaited, and a rotation goes on while its kube-apiserver restarts', async () => {
  const reportOfOther: LoadReport[] = [];
  const report = await underLoad(project, async () => {
    const pid = secondPid();
    process.kill(pid, 'SIGSTOP');
    const running = rotate(project);
    await lagBehind(running, pid);
    const ofOther = await underLoad(other, async () => {
      const runningOther = rotate(other, '--kubeconfig', kubeconfig);
      await restart(runningOther);
      const throughSecond = await startLoad({ ...project.target, rate: 20, kubeconfig });
      await expectRotated(running);
      const late = new RegExp(
        `${blind}; .*APIService ${missing} is not available; APIService ${slow.apiService} took \\d\\.\\ds to return`,
      );
      expect((await running).stderr).toMatch(late);
      expectNoFailure(await throughSecond.stop());
      await expectRotated(runningOther);
    });
    reportOfOther.push(ofOther);
  });
  for (const each of [report, ...reportOfOther]) expectNoFailure(each);
  await expectAgreement(project, name);
  await expectAgreement(other, restarted);
});
