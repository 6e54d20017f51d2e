import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AnyApiProject, closingWhenReady, installAnyApiProject, removeAnyApiProject } from '../harness/any-api-project.ts';
import { apisvc } from '../harness/commands.ts';
import { processesWith } from '../harness/processes.ts';
import { kubectlOk, waitForOutput } from '../harness/projects.ts';
import { groupOf } from '../harness/registrations.ts';
import {
  expectAgreement,
  expectNoFailure,
  expectNoFailureDuringRestart,
  rotateOk,
  startCaRotation,
  takingUp,
  underLoad,
  untilNoPodEnds,
  whilePodStands,
} from '../harness/rotations.ts';

/** Pods that start, crash or restart in the middle of a rotation, and a second rotation. */

const name = 'changing-pods';
let project: AnyApiProject;

beforeAll(async () => {
  project = await installAnyApiProject({ name, replicas: 3, flags: closingWhenReady });
});

afterAll(() => removeAnyApiProject(project, name));

test('a Deployment that is scaled up half way starts pods that are awaited too', async () => {
  const scale = (replicas: number) => kubectlOk(['scale', '-n', name, `deployment/${name}`, `--replicas=${replicas}`]);
  const report = await underLoad(project, async () => {
    const running = startCaRotation(project, '5s');
    await waitForOutput(running, takingUp);
    await scale(4);
    await waitForOutput(running, /==> Watching all endpoints/);
    await scale(5);
    const { exitCode, stderr } = await running;
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  });
  expectNoFailure(report);
  await expectAgreement(project, name);
  await scale(3);
  // The next test looks for processes of pods.
  await untilNoPodEnds(name);
});

test('a pod that crashes while all endpoints are watched is awaited', async () => {
  const running = startCaRotation(project, '8s');
  await waitForOutput(running, /==> Watching all endpoints/);
  const pids = () => processesWith(`--group-version=${groupOf(name)}/v1`);
  const before = pids();
  const [first] = before;
  if (first === undefined) throw new Error('no pod runs');
  process.kill(first, 'SIGKILL');
  // kubelet restarts a container at once, but after a second crash only after some seconds.
  const killRestarted = () =>
    pids()
      .filter((pid) => !before.includes(pid))
      .map((pid) => process.kill(pid, 'SIGKILL'));
  await expect.poll(killRestarted, { timeout: 60_000 }).toEqual([true]);
  const { exitCode, stderr } = await running;
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(stderr).toMatch(/2 of 3 serve it; \S+ \(pod changing-pods-\S+\): /);
  await expectAgreement(project, name);
});

test('a second rotation is refused with the name of the first', async () => {
  const running = startCaRotation(project);
  await waitForOutput(running, takingUp);
  // Otherwise it could end before the second one has looked.
  const { exitCode, stderr } = await whilePodStands(name, () => apisvc(['rotate', '-C', project.dir]));
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 1 });
  expect(stderr).toMatch(/error: [^\s_]+@[^\s_]+ has been rotating the certificate of Service changing-pods\/changing-pods since/);
  expect(await running).toMatchObject({ exitCode: 0 });
  await expectAgreement(project, name);
});

test('pods that do not follow their Secret are restarted, once', async () => {
  const report = await underLoad(project, async () => {
    const { stderr } = await rotateOk(project, '--restart', 'always');
    expect(stderr).toContain(`note: restarting the pods of Deployment ${name}/${name}: --restart=always`);
  });
  expectNoFailureDuringRestart(report);
  await expectAgreement(project, name);
});
