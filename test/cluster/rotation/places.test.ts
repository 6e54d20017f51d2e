import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Document } from 'yaml';
import { anyApiProjectOfTest } from '../harness/any-api-project.ts';
import { apisvc } from '../harness/commands.ts';
import { servingPairOf, waitForOutput } from '../harness/projects.ts';
import { registered as registeredOutside, removeProjects } from '../harness/registered.ts';
import { expectAgreement, expectNoFailureDuringRestart, rotateOk, underLoad } from '../harness/rotations.ts';
import { isThorough } from '../harness/thorough.ts';

/** Servers that need a restart, and servers outside the cluster. */

afterAll(removeProjects);

test('pods that mount the Secret with subPath are restarted at once', async () => {
  const name = 'sub-path';
  const edit = (document: Document): void => {
    document.setIn(['spec', 'server', 'volumes'], document.createNode([{ name: 'file', secret: { secretName: `${name}-tls` } }]));
    const mount = { name: 'file', mountPath: '/file/tls.crt', subPath: 'tls.crt' };
    document.setIn(['spec', 'server', 'volumeMounts'], document.createNode([mount]));
  };
  const project = await anyApiProjectOfTest({ name, flags: ['--close-connections', '--certificate-once'], edit });
  const report = await underLoad(project, async () => {
    const { stderr } = await rotateOk(project);
    expect(stderr).toMatch(
      new RegExp(`note: restarting the pods of Deployment ${name}/${name}: pod \\S+: it mounts Secret ${name}-tls with subPath`),
    );
  });
  expectNoFailureDuringRestart(report);
  await expectAgreement(project, name);
});

// Waits until kubelet and server had time to reload.
if (isThorough) {
  test('pods that keep their certificate are restarted after the time of a reload', async () => {
    const name = 'keeps-certificate';
    const project = await anyApiProjectOfTest({ name, flags: ['--close-connections', '--certificate-once'] });
    const report = await underLoad(project, async () => {
      const { stderr } = await rotateOk(project);
      expect(stderr).toMatch(/note: restarting the pods of Deployment \S+: pod \S+: it still serves another certificate after 100s/);
    });
    expectNoFailureDuringRestart(report);
    await expectAgreement(project, name);
  });
}

test('a server outside the cluster is awaited until somebody installs the certificate', async () => {
  const { dir, start } = await registeredOutside('rotated-outside');
  const before = servingPairOf(dir);
  const running = apisvc(['rotate', '-C', dir, '--ca', '--soak', '0s'], { timeout: 120_000 });
  const next = join(dir, 'certs', 'next');
  await waitForOutput(
    running,
    new RegExp(`note: the server is outside the cluster; install ${next}/tls\\.crt and ${next}/tls\\.key on it`),
  );
  await start({ certificates: readFileSync(join(next, 'tls.crt'), 'utf8'), key: readFileSync(join(next, 'tls.key'), 'utf8') });
  const { exitCode, stderr } = await running;
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(servingPairOf(dir)).not.toEqual(before);
  expect(await apisvc(['verify', '-C', dir])).toMatchObject({ exitCode: 0 });
});
