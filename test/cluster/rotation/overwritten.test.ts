import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { projectFiles } from '../../../src/project/project.ts';
import { type AnyApiProject, closingWhenReady, installAnyApiProject, removeAnyApiProject } from '../harness/any-api-project.ts';
import { kubectlOk, waitForOutput } from '../harness/projects.ts';
import { expectAgreement, expectNoFailure, placesOf, rotateOk, startCaRotation, takingUp, underLoad } from '../harness/rotations.ts';
import { signalAfter, untilStopped } from '../harness/signal-after.ts';

/** What others write in the middle of a rotation is noticed and named, and no request fails. */

const name = 'overwritten';
let project: AnyApiProject;

beforeAll(async () => {
  project = await installAnyApiProject({ name, flags: closingWhenReady });
});

afterAll(() => removeAnyApiProject(project, name));

const base64 = (path: string): string => readFileSync(path).toString('base64');

/** Writes only the current CA into the caBundle, as a GitOps tool with an old manifest does. */
const overwriteBundle = (): Promise<string> => {
  const patch = { spec: { caBundle: base64(projectFiles(project.dir).caCertificate) } };
  return kubectlOk(['patch', 'apiservice', project.apiService, '--type=merge', '-p', JSON.stringify(patch)]);
};

/** Overwrites the caBundle while the rotation is stopped, which could go on to its next step. */
async function overwriteMeanwhile(running: ReturnType<typeof startCaRotation>): Promise<void> {
  running.kill('SIGSTOP');
  try {
    await overwriteBundle();
  } finally {
    running.kill('SIGCONT');
  }
}

describe('a caBundle that is overwritten', () => {
  test('once is restored before the Secret is written', async () => {
    let stderr = '';
    const report = await underLoad(project, async () => {
      const running = startCaRotation(project);
      await waitForOutput(running, takingUp);
      await overwriteMeanwhile(running);
      const result = await running;
      stderr = result.stderr;
      expect(result).toMatchObject({ exitCode: 0 });
    });
    expect(stderr).toMatch(/note: apiservice\/\S+: "kubectl-patch" at \S+ overwrote the caBundle during the rotation; restoring it once/);
    expectNoFailure(report);
    await expectAgreement(project, name);
  });

  test('a second time ends the run with the name of the manager, and --abort rolls back', async () => {
    const { files: before } = await placesOf(project, name);
    const report = await underLoad(project, async () => {
      const running = startCaRotation(project);
      await waitForOutput(running, takingUp);
      await overwriteMeanwhile(running);
      await waitForOutput(running, /restoring it once/);
      // The note is printed before the write.
      await expect.poll(async () => (await placesOf(project, name)).bundle.length, { timeout: 60_000 }).toBe(2);
      await overwriteMeanwhile(running);
      const { exitCode, stderr } = await running;
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(/error: apiservice\/\S+: "kubectl-patch" at \S+ overwrote the caBundle a second time during the rotation/);
      expect(stderr).toContain(`To roll back: apisvc rotate -C ${project.dir} --abort`);
      await rotateOk(project, '--abort', '--soak', '1s');
    });
    expectNoFailure(report);
    expect(await expectAgreement(project, name)).toEqual(before);
  });

  // The pods serve the new certificate, so that requests fail until the caBundle is restored.
  test('while all endpoints are watched is restored, and after that the loss of the old CA ends the run with both CAs', async () => {
    // A stop counts as at most ten seconds.
    const narrowed = /==> Trusting only the new CA\n +apiservice\S+ configured\n/;
    const running = startCaRotation(project, '15s', signalAfter(narrowed, 'SIGSTOP'));
    await waitForOutput(running, /==> Watching all endpoints/);
    await overwriteMeanwhile(running);
    await waitForOutput(running, /restoring it once/);
    await waitForOutput(running, narrowed);
    await untilStopped(running);
    await overwriteMeanwhile(running);
    const { exitCode, stderr } = await running;
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 1 });
    expect(stderr).toMatch(/error: apiservice\/\S+: "kubectl-patch" at \S+ overwrote the caBundle a second time during the rotation/);
    expect(stderr).toContain('let it write only the new CA');
    expect(stderr.indexOf('restoring it once')).toBeLessThan(stderr.indexOf('==> Trusting only the new CA'));
    const { files, secret, bundle } = await placesOf(project, name);
    expect(secret.leaf).not.toEqual(files.leaf);
    expect(bundle).toEqual(expect.arrayContaining(secret.ca));
    expect(bundle).toEqual(expect.arrayContaining(files.ca));
    await rotateOk(project, '--ca', '--soak', '0s');
    await expectAgreement(project, name);
  });
});

test('an edited Secret ends the run with the name of the manager, and the next one continues', async () => {
  const { certificate, key } = projectFiles(project.dir);
  const old = { 'tls.crt': base64(certificate), 'tls.key': base64(key) };
  const report = await underLoad(project, async () => {
    const running = startCaRotation(project, '30s');
    await waitForOutput(running, /==> Watching all endpoints/);
    await kubectlOk(['patch', 'secret', '-n', name, `${name}-tls`, '--type=merge', '-p', JSON.stringify({ data: old })]);
    const { exitCode, stderr } = await running;
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 1 });
    expect(stderr).toMatch(
      /Secret overwritten\/overwritten-tls was changed during the rotation by "kubectl-patch" at \S+: it does not contain the new certificate/,
    );
    const again = await rotateOk(project, '--ca', '--soak', '2s', '--force-conflicts');
    expect(again.stderr).toContain('note: continuing the rotation of the CA that started at');
  });
  expectNoFailure(report);
  await expectAgreement(project, name);
});
