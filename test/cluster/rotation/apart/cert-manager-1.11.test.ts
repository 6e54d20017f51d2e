import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type AnyApiProject,
  closingWhenReady,
  makeAnyApiProject,
  registerAnyApiProject,
  removeAnyApiProject,
} from '../../harness/any-api-project.ts';
import type { CertManager } from '../../harness/cert-manager.ts';
import { installCertManager111, removeWebhook } from '../../harness/cert-manager-1.11.ts';
import { apisvc } from '../../harness/commands.ts';
import { kubectlOk, verifyJson } from '../../harness/projects.ts';
import { documentedRate, expectNoFailure, rotateOk, underLoad } from '../../harness/rotations.ts';

/**
 * cert-manager 1.11.5: its own controller, cainjector and webhook. Unlike the cainjector since
 * 1.19, this one replaces the caBundle. It is apart because one cluster has one cert-manager.
 */

const name = 'issued-111';
const secret = `${name}-tls`;
let project: AnyApiProject;
let parts: readonly CertManager[] = [];

const during = <T>(work: PromiseLike<T>): Promise<T> => parts.reduce<PromiseLike<T>>((done, part) => part.during(done), work) as Promise<T>;

const decoded = (text: string): string => Buffer.from(text, 'base64').toString();

/** What is in the Secret and in the caBundle. */
async function places() {
  const { data } = JSON.parse(await kubectlOk(['get', 'secret', secret, '-n', name, '-o', 'json']));
  const { spec } = JSON.parse(await kubectlOk(['get', 'apiservice', project.apiService, '-o', 'json']));
  return { leaf: decoded(data['tls.crt']), ca: decoded(data['ca.crt']), bundle: decoded(spec.caBundle) };
}

beforeAll(async () => {
  parts = await installCertManager111();
  project = await makeAnyApiProject({ name, replicas: 2, flags: closingWhenReady, init: ['--issuer', 'cert-manager'] });
});

afterAll(async () => {
  await removeWebhook();
  await removeAnyApiProject(project, name);
  await Promise.all(parts.map((part) => part.stop()));
});

test('register: the certificate is issued, and the caBundle injected', async () => {
  await during(registerAnyApiProject(project));
  const { ca, bundle } = await places();
  expect(bundle).toBe(ca);
  const { exitCode, diagnosis } = await during(verifyJson(['-C', project.dir]));
  expect({ exitCode, apis: diagnosis.apis }).toMatchObject({ exitCode: 0, apis: [{ findings: [], notChecked: [] }] });
});

test('rotate, and rotate --ca: no request fails, and the old CA is not trusted any more', async () => {
  const before = await places();
  let renewed = before;
  let stderr = '';
  const report = await underLoad(
    project,
    async () => {
      await during(rotateOk(project));
      renewed = await places();
      ({ stderr } = await during(rotateOk(project, '--ca', '--soak', '2s')));
    },
    documentedRate,
  );
  console.log(JSON.stringify({ requests: report.requests, failures: report.failures, byText: report.byText }));
  expectNoFailure(report);
  expect({ ca: renewed.ca, bundle: renewed.bundle }).toEqual({ ca: before.ca, bundle: before.ca });
  expect(renewed.leaf).not.toBe(before.leaf);
  const { ca, bundle } = await places();
  expect(ca).not.toBe(before.ca);
  expect(bundle).toBe(ca);
  expect(stderr).not.toContain('keeps the old CA');
  expect(JSON.parse((await during(apisvc(['status', '-C', project.dir, '-o', 'json']))).stdout).verdict).toBe('same');
});
