import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type AnyApiProject,
  closingWhenReady,
  makeAnyApiProject,
  registerAnyApiProject,
  removeAnyApiProject,
} from '../harness/any-api-project.ts';
import { type CertManager, installCertManagerCrds, renew, startCertManager } from '../harness/cert-manager.ts';
import { apisvc } from '../harness/commands.ts';
import { kubectlOk, paste, waitForOutput } from '../harness/projects.ts';
import { documentedRate, expectNoFailure, rotateOk, takingUp, underLoad } from '../harness/rotations.ts';
import { isThorough } from '../harness/thorough.ts';

/**
 * What clients notice when a certificate of cert-manager 1.21.2 and its CA are rotated: the figures
 * of docs/issuers.md.
 */

const name = 'issued';
const leaf = `${name}-tls`;
const ca = `${name}-ca`;
let project: AnyApiProject;
let parts: readonly CertManager[];

const during = <T>(work: PromiseLike<T>): Promise<T> => parts.reduce<PromiseLike<T>>((done, part) => part.during(done), work) as Promise<T>;

/** Waits until every endpoint serves the certificate of the Secret, and a valid one. */
const settled = () =>
  during(
    expect
      .poll(async () => JSON.parse((await apisvc(['status', '-C', project.dir, '-o', 'json'])).stdout).verdict, {
        timeout: 200_000,
        interval: 500,
      })
      .toBe('same'),
  );

const renewed = (certificate: string) => during(renew(name, certificate));

/** A certificate of a Secret: PEM. */
const read = async (secret: string, entry: string): Promise<string> => {
  const { data } = JSON.parse(await kubectlOk(['get', 'secret', secret, '-n', name, '-o', 'json']));
  return Buffer.from(data[entry], 'base64').toString();
};

/** Sends requests while something happens, and until the change has reached every endpoint. */
async function measure(what: string, happen: () => Promise<unknown>) {
  const report = await underLoad(
    project,
    async () => {
      await happen();
      await settled();
      // Failures may end later than the change of the last endpoint.
      await sleep(5_000);
    },
    documentedRate,
  );
  const { requests, failures, freshFailures, byText, retried } = report;
  console.log(JSON.stringify({ what, requests, failures, freshFailures, byText, retried }, null, 1));
  return report;
}

beforeAll(async () => {
  await installCertManagerCrds();
  parts = [startCertManager('controller'), startCertManager('cainjector')];
  project = await makeAnyApiProject({ name, flags: closingWhenReady, init: ['--issuer', 'cert-manager'] });
  await during(registerAnyApiProject(project));
});

afterAll(async () => {
  await removeAnyApiProject(project, name);
  await Promise.all(parts.map((part) => part.stop()));
});

/** Runs `apisvc rotate`. @returns its report, and what it printed meanwhile */
async function rotated(...flags: readonly string[]) {
  const { stdout, stderr } = await during(rotateOk(project, '--soak', '2s', '-o', 'json', ...flags));
  return { report: JSON.parse(stdout), stderr };
}

const annotations = async () => JSON.parse(await kubectlOk(['get', 'apiservice', project.apiService, '-o', 'json'])).metadata.annotations;

test('rotate: no request fails', async () => {
  expectNoFailure(await measure('rotate', () => rotated()));
});

// A pod may serve the new certificate before kube-apiserver has taken the caBundle up.
test('a renewal of the CA, and of the certificate right after it: requests fail only where the new CA is not trusted yet', async () => {
  const report = await measure('CA at once', async () => {
    await renewed(ca);
    await renewed(leaf);
  });
  expect(await read(leaf, 'ca.crt')).toBe(await read(ca, 'tls.crt'));
  const others = report.byText.filter(({ text }) => !text.includes('certificate signed by unknown authority'));
  expect({ others, retried: report.retried }).toEqual({ others: [], retried: [] });
});

/** Expects that only the new CA signs, and that nothing is left of the rotation. */
async function expectNewCa(old: string): Promise<void> {
  const now = await read(leaf, 'ca.crt');
  expect(now).not.toBe(old);
  expect(now).toBe(await read(ca, 'tls.crt'));
  const { 'cert-manager.io/inject-ca-from': from, ...others } = await annotations();
  expect({ from, others: Object.keys(others).filter((each) => each.includes('inject')) }).toEqual({ from: `${name}/${leaf}`, others: [] });
  expect(await kubectlOk(['get', 'secrets', '-n', name, '-o', 'name'])).not.toContain('both-cas');
}

test('rotate --ca that is interrupted, and continued by rotate: no request fails, and the old CA can be removed', async () => {
  const old = await read(leaf, 'ca.crt');
  let stderr = '';
  const report = await measure('rotate --ca, Ctrl-C, rotate', async () => {
    const running = apisvc(['rotate', '-C', project.dir, '--ca'], { timeout: 170_000 });
    await waitForOutput(running, takingUp);
    running.kill('SIGINT');
    expect((await running).exitCode).toBe(130);
    expect(await apisvc(['register', '-C', project.dir])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('error: a rotation of the CA is not complete: cert-manager injects both CAs'),
    });
    const done = await rotated();
    expect(done.report).toMatchObject({ outcome: 'rotated', kind: 'ca', diagnosis: { verdict: 'healthy' } });
    expect(done.report.steps.map(({ id }: { readonly id: string }) => id)).not.toContain('renew-ca');
    ({ stderr } = done);
  });
  expectNoFailure(report);
  await expectNewCa(old);
  const [, command = ''] = /; to remove it: (ca=.*)/.exec(stderr) ?? [];
  await paste(command);
  // The cainjector sees every change of an APIService.
  await kubectlOk(['annotate', 'apiservice', project.apiService, 'example.com/seen=true']);
  await settled();
  const { spec } = JSON.parse(await kubectlOk(['get', 'apiservice', project.apiService, '-o', 'json']));
  expect(Buffer.from(spec.caBundle, 'base64').toString()).toBe(await read(leaf, 'ca.crt'));
});

if (isThorough) {
  test('rotate --ca: no request fails', async () => {
    const old = await read(leaf, 'ca.crt');
    expectNoFailure(await measure('rotate --ca', () => rotated('--ca')));
    await expectNewCa(old);
  });
}
