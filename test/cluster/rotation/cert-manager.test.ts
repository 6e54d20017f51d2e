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
import { kubectlOk } from '../harness/projects.ts';
import { expectNoFailure, underLoad } from '../harness/rotations.ts';

/**
 * What clients notice when cert-manager 1.21.2 renews a certificate and its CA: the figures of
 * docs/issuers.md.
 */

const name = 'issued';
const leaf = `${name}-tls`;
const ca = `${name}-ca`;
/** Requests per second. */
const rate = 100;
let project: AnyApiProject;
let parts: readonly CertManager[];

const during = <T>(work: PromiseLike<T>): Promise<T> => parts.reduce<PromiseLike<T>>((done, part) => part.during(done), work) as Promise<T>;

/** Waits until every endpoint serves the certificate of the Secret, and a valid one. */
const settled = () =>
  during(
    expect
      .poll(async () => JSON.parse((await apisvc(['status', '-C', project.dir, '-o', 'json'])).stdout).verdict, { timeout: 200_000 })
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
    rate,
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

test('a renewal of the certificate: no request fails', async () => {
  expectNoFailure(await measure('renewal', () => renewed(leaf)));
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

test('a renewal of both while both CAs are trusted: no request fails', async () => {
  const report = await measure('both CAs trusted first', async () => {
    const old = await read(leaf, 'ca.crt');
    await renewed(ca);
    await kubectlOk(['apply', '-f', '-'], {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'both', namespace: name, annotations: { 'cert-manager.io/allow-direct-injection': 'true' } },
      stringData: { 'ca.crt': old + (await read(ca, 'tls.crt')) },
    });
    await kubectlOk(['annotate', 'apiservice', project.apiService, `cert-manager.io/inject-ca-from-secret=${name}/both`]);
    // kube-apiserver takes a caBundle up in about a second, if its other backends are not slow.
    await sleep(10_000);
    await renewed(leaf);
    await settled();
    await kubectlOk(['annotate', 'apiservice', project.apiService, 'cert-manager.io/inject-ca-from-secret-']);
  });
  expectNoFailure(report);
  expect(await read(leaf, 'ca.crt')).toBe(await read(ca, 'tls.crt'));
});
