import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { projectFiles } from '../../../src/project/project.ts';
import { type AnyApiProject, installAnyApiProject, removeAnyApiProject } from '../harness/any-api-project.ts';
import { clockAhead } from '../harness/clock-ahead.ts';
import { apisvc } from '../harness/commands.ts';
import { editConfiguration, kubectlOk } from '../harness/projects.ts';
import { expectAgreement, placesOf, rotateOk, rotateRefused } from '../harness/rotations.ts';

/** Expired certificates: the command says what is possible, and does it. */

describe('an expired certificate', () => {
  let project: AnyApiProject;
  /** kubectl owns what it replaced. */
  const takeOver = '--force-conflicts';

  const replace = async (ref: readonly string[], edit: (object: { readonly spec?: object }) => object) => {
    const { metadata, ...found } = JSON.parse(await kubectlOk(['get', ...ref, '-o', 'json']));
    // kube-apiserver writes the status of an APIService at any time.
    return kubectlOk(['replace', '-f', '-'], edit({ ...found, metadata: { ...metadata, resourceVersion: undefined } }));
  };

  /**
   * Puts certificates that a clock of yesterday made into every place, and waits until the pod
   * serves them.
   */
  const serveYesterdays = async (lifetime: string, caLifetime: string) => {
    const lifetimes = (leaf: string, ca: string) =>
      editConfiguration(project.dir, (document) => {
        document.setIn(['spec', 'certificates', 'lifetime'], leaf);
        document.setIn(['spec', 'certificates', 'issuer', 'caLifetime'], ca);
      });
    lifetimes(lifetime, caLifetime);
    const made = await apisvc(['init', project.dir, '--force-keys', '--yes'], { env: clockAhead(-86_400_000) });
    expect(made).toMatchObject({ exitCode: 0 });
    lifetimes('1y', '10y');
    const { caCertificate, certificate, key } = projectFiles(project.dir);
    const encoded = (file: string): string => readFileSync(file).toString('base64');
    const data = { 'ca.crt': encoded(caCertificate), 'tls.crt': encoded(certificate), 'tls.key': encoded(key) };
    await replace(['secret', '-n', 'expired', 'expired-tls'], (secret) => ({ ...secret, data }));
    const caBundle = encoded(caCertificate);
    await replace(['apiservice', project.apiService], ({ spec, ...rest }) => ({ ...rest, spec: { ...spec, caBundle } }));
    const served = async () => {
      const { rows } = JSON.parse((await apisvc(['status', '-C', project.dir, '-o', 'json'])).stdout);
      return rows.filter((row: { place: string }) => row.place === 'endpoint');
    };
    await expect.poll(served, { timeout: 150_000, interval: 1_000 }).toMatchObject([{ sameAsProject: 'yes' }]);
  };

  beforeAll(async () => {
    project = await installAnyApiProject({ name: 'expired', replicas: 1 });
  });

  afterAll(() => removeAnyApiProject(project, 'expired'));

  test('of the server is replaced', async () => {
    await serveYesterdays('1h', '10y');
    expect((await apisvc(['verify', '-C', project.dir])).exitCode).toBe(1);
    await rotateOk(project, takeOver);
    await expectAgreement(project, 'expired');
  });

  test('of the CA is replaced without an overlap, which would help nobody', async () => {
    await serveYesterdays('1h', '1h');
    expect(await rotateRefused(project)).toMatchObject({
      exitCode: 2,
      errors: expect.stringMatching(/expired[\s\S]*apisvc rotate -C \S+ --ca/),
    });
    const { bundle: old } = await placesOf(project, 'expired');
    const rotating = rotateOk(project, '--ca', '--soak', '0s', takeOver);
    const during = async () => (await placesOf(project, 'expired')).bundle;
    // A clock must be trusted for nothing but a note, so the expired CA stays until the end too.
    await expect.poll(during, { timeout: 60_000, interval: 200 }).toEqual([...old, expect.any(String)]);
    const { stderr } = await rotating;
    expect(stderr).toMatch(/note: apiservice\/\S+: the CA CN=\S+ CA in its caBundle expired on \S+; the rotation removes it at the end/);
    expect((await expectAgreement(project, 'expired')).ca).not.toEqual(old);
  });
});
