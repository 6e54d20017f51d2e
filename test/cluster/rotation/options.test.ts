import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnyApiProject, installAnyApiProject, removeAnyApiProject } from '../harness/any-api-project.ts';
import { apisvc } from '../harness/commands.ts';
import { editConfiguration, emptyFolder, kubectlOk, waitForOutput } from '../harness/projects.ts';
import {
  endless,
  expectAgreement,
  namesTheFirst,
  placesOf,
  rotateOk,
  rotateRefused,
  setMinReadySeconds,
  statesOf,
  whilePodStands,
} from '../harness/rotations.ts';
import { installInsecure } from '../harness/secured.ts';
import { signalAfter, untilStopped } from '../harness/signal-after.ts';
import { isThorough } from '../harness/thorough.ts';

/**
 * What `rotate` prints, its flags that a CronJob and a slow kubelet need, and what it does beside a
 * `register` or `secure` of the same project.
 */

const name = 'rotate-options';
let project: AnyApiProject;

beforeAll(async () => {
  project = await installAnyApiProject({ name, replicas: 2 });
});

afterAll(() => removeAnyApiProject(project, name));

const versions = (): Promise<string> =>
  kubectlOk(['get', `secret/${name}-tls`, `deployment/${name}`, '-n', name, '-o', 'jsonpath={.items[*].metadata.resourceVersion}']);

describe('--if-expires-within', () => {
  test('changes nothing while the certificate is valid for longer, and says when it expires', async () => {
    const before = { ...(await placesOf(project, name)), versions: await versions() };
    const text = await rotateOk(project, '--if-expires-within', '30d');
    expect(text.stdout).toMatch(/^The serving certificate is valid until \d{4}-\S+Z\. Nothing changed\.\n$/);
    const { stdout } = await rotateOk(project, '--if-expires-within', '30d', '-o', 'json');
    const { notAfter } = JSON.parse(stdout).to.certificate;
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'not-due', kind: 'leaf', steps: [] });
    expect(text.stdout).toContain(`${notAfter.slice(0, 19)}Z`);
    expect({ ...(await placesOf(project, name)), versions: await versions() }).toEqual(before);
    await expectAgreement(project, name);
  });

  test('replaces a certificate that is valid for less', async () => {
    const { files: before } = await placesOf(project, name);
    const { stdout } = await rotateOk(project, '--if-expires-within', '400d', '-o', 'json');
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ outcome: 'rotated', kind: 'leaf', diagnosis: { verdict: 'healthy' } });
    const after = await expectAgreement(project, name);
    expect([report.from, report.to].map(({ certificate }) => certificate.sha256)).toEqual([before.leaf[0], after.leaf[0]]);
    expect(statesOf(JSON.parse(stdout))).toMatchObject({ issue: 'done', secret: 'done', promote: 'done', verify: 'done' });
  });
});

test('--nudge annotates every pod with the certificate, and restarts none', async () => {
  const pods = async (path: string): Promise<string[]> =>
    (await kubectlOk(['get', 'pods', '-n', name, '-o', `jsonpath={range .items[*]}{${path}}{"\\n"}{end}`])).split('\n').filter(Boolean);
  const before = await pods('.metadata.uid');
  const rotating = apisvc(['rotate', '-C', project.dir, '--nudge'], { timeout: 120_000 });
  await waitForOutput(rotating, /==> Issuing/);
  // A pod that stands still cannot serve the new certificate before the others are asked to.
  await whilePodStands(name, () =>
    expect.poll(() => pods('.metadata.annotations.apisvc\\.dev/nudged-for'), { timeout: 60_000 }).toHaveLength(2),
  );
  const { exitCode, stderr } = await rotating;
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  const { leaf } = await expectAgreement(project, name);
  expect(await pods('.metadata.annotations.apisvc\\.dev/nudged-for')).toEqual([leaf[0], leaf[0]]);
  expect(await pods('.metadata.uid')).toEqual(before);
});

test('an interrupted run reports its steps, the next one continues, and a copy of the project refuses', async () => {
  const { files: before } = await placesOf(project, name);
  const copy = join(emptyFolder(), 'copy');
  const running = apisvc(['rotate', '-C', project.dir, '--ca', '--soak', '60s', '-o', 'json'], { timeout: 120_000 });
  await waitForOutput(running, /==> Watching/);
  running.kill('SIGINT');
  const interrupted = await running;
  expect(interrupted.exitCode).toBe(130);
  expect(JSON.parse(interrupted.stdout)).toMatchObject({ outcome: 'interrupted', kind: 'ca', error: { message: 'interrupted' } });
  expect(statesOf(JSON.parse(interrupted.stdout))).toMatchObject({
    'trust-both': 'done',
    secret: 'done',
    soak: 'pending',
    promote: 'pending',
  });

  cpSync(project.dir, copy, { recursive: true });
  rmSync(join(copy, 'certs', 'next'), { recursive: true });
  const refused = await apisvc(['rotate', '-C', copy]);
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toMatch(
    /fix: Finish the rotation in the project directory where it was started: apisvc rotate -C DIR\nOr roll back in this directory: apisvc rotate -C \S+ --abort\n/,
  );

  const planned = await rotateOk(project, '--abort', '--dry-run');
  expect(planned.stdout).toMatch(/^Plan to roll back the CA and the serving certificate; nothing was changed:\n/);
  const continued = await rotateOk(project, '--soak', '0s', '-o', 'json');
  expect(continued.stderr).toMatch(
    /note: continuing the rotation of the CA that started at \S+\n {4}Issuing .* \(done\)\n {4}Trusting both CAs \(done\)\n {4}Waiting for every kube-apiserver .* \(done\)\n {4}Writing Secret .* \(done\)\n/,
  );
  expect(statesOf(JSON.parse(continued.stdout))).toMatchObject({
    'trust-both': 'skipped',
    secret: 'skipped',
    soak: 'done',
    'trust-new': 'done',
  });
  expect((await expectAgreement(project, name)).ca).not.toEqual(before.ca);
});

test('--abort reports what it restores and withdraws', async () => {
  const { leaf } = await expectAgreement(project, name);
  const env = signalAfter(/==> Waiting until every endpoint|configured/, 'SIGINT');
  await apisvc(['rotate', '-C', project.dir], { timeout: 120_000, env });
  const { files, pending } = await placesOf(project, name);
  expect({ leaf: files.leaf, pending }).toEqual({ leaf, pending: true });
  const { stdout } = await rotateOk(project, '--abort', '-o', 'json');
  expect(JSON.parse(stdout)).toMatchObject({ outcome: 'aborted', restored: { certificate: { sha256: leaf[0] } } });
  expect(JSON.parse(stdout).withdrawn.certificate.sha256).not.toBe(leaf[0]);
  expect((await expectAgreement(project, name)).leaf).toEqual(leaf);
});

test('rotate is refused while the Deployment is scaled to 0, and works after its command', async () => {
  const { files: before } = await placesOf(project, name);
  await kubectlOk(['scale', `deployment/${name}`, '-n', name, '--replicas=0']);
  for (const flags of [['--dry-run'], [], ['--ca']]) {
    expect(await rotateRefused(project, ...flags)).toEqual({
      exitCode: 1,
      stdout: '',
      errors: `error: Deployment ${name}/${name} is scaled to 0, so nothing would serve the certificate\nnothing was changed\nfix: Scale the Deployment up before you run the same command again: kubectl -n ${name} scale deployment/${name} --replicas=1\n`,
    });
  }
  expect(await placesOf(project, name)).toMatchObject({ files: before, pending: false });
  await kubectlOk(['scale', `deployment/${name}`, '-n', name, '--replicas=2']);
  await rotateOk(project);
  expect((await expectAgreement(project, name)).leaf).not.toEqual(before.leaf);
});

test('rotate is refused while register changes the server and the APIService', async () => {
  const { files: before } = await placesOf(project, name);
  await setMinReadySeconds(name, endless);
  editConfiguration(project.dir, (document) => {
    document.addIn(['spec', 'server', 'args'], '--close-connections');
    document.setIn(['spec', 'apis', 0, 'versionPriority'], 20);
  });
  const registering = apisvc(['register', '-C', project.dir]);
  await waitForOutput(registering, new RegExp(`deployment/${name}/${name} configured`));
  expect(await rotateRefused(project)).toMatchObject(namesTheFirst(name));
  await setMinReadySeconds(name, 0);
  const { exitCode, stderr } = await registering;
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(await expectAgreement(project, name)).toEqual(before);
});

test('register is refused while rotate runs, also in a copy of the project', async () => {
  const { files: before } = await placesOf(project, name);
  const copy = join(emptyFolder(), 'copy');
  cpSync(project.dir, copy, { recursive: true });
  // It could end before register has looked.
  const env = signalAfter(/==> Writing Secret/, 'SIGSTOP');
  const rotating = apisvc(['rotate', '-C', project.dir, '--nudge'], { timeout: 120_000, env });
  await waitForOutput(rotating, /==> Writing Secret/);
  await untilStopped(rotating);
  const [here, there] = await Promise.all([project.dir, copy].map((dir) => apisvc(['register', '-C', dir])));
  rotating.kill('SIGCONT');
  expect(here).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/^error: a rotation is in progress: \S+\/certs\/next exists\n/),
  });
  expect(there).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(
      new RegExp(
        `a rotation of the certificate of Service ${name}/${name} is not complete: it started at \\S+, and was last run by \\S+@\\S+\\n`,
      ),
    ),
  });
  const { exitCode, stderr } = await rotating;
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect((await expectAgreement(project, name)).leaf).not.toEqual(before.leaf);
});

if (isThorough) {
  test('rotate is refused while secure changes the server', async () => {
    const name = 'rotate-secure';
    const home = emptyFolder();
    const { apiService, target } = await installInsecure({ name, replicas: 1 });
    const project: AnyApiProject = { dir: join(home, name), apiService, target };
    try {
      await setMinReadySeconds(name, endless);
      const securing = apisvc(['secure', apiService, '--yes', '--timeout', '3m'], { cwd: home, timeout: 200_000 });
      await waitForOutput(securing, new RegExp(`deployment/${name}/${name} configured`));
      expect(await rotateRefused(project)).toMatchObject(namesTheFirst(name));
      await setMinReadySeconds(name, 0);
      const { exitCode, stderr } = await securing;
      expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
      await expectAgreement(project, name);
    } finally {
      await removeAnyApiProject(project, name);
    }
  });
}
