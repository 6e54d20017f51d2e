import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnyApiProject, makeAnyApiProject, removeAnyApiProject } from '../harness/any-api-project.ts';
import { apisvc, environment } from '../harness/commands.ts';
import { program } from '../harness/programs.ts';
import { kubectlOk } from '../harness/projects.ts';
import { cluster } from '../harness/provided.ts';
import {
  bundleManagersOf,
  expectAgreement,
  expectNoFailureDuringRestart,
  placesOf,
  rotateOk,
  rotateRefused,
  underLoad,
} from '../harness/rotations.ts';

describe.each(['helm-3', 'helm-4'])('a chart for %s', (name) => {
  let project: AnyApiProject;
  let chart: string;

  const helm = (...args: readonly string[]) =>
    execa(program(cluster.programs, name), args, {
      env: environment(cluster.kubeconfig, { HELM_NAMESPACE: name }),
      extendEnv: false,
      reject: false,
      timeout: 120_000,
    });
  const ok = async (running: ReturnType<typeof helm> | ReturnType<typeof apisvc>): Promise<string> => {
    const { exitCode, stdout, stderr } = await running;
    expect({ exitCode, output: exitCode === 0 ? '' : `${stdout}${stderr}` }).toEqual({ exitCode: 0, output: '' });
    return stdout as string;
  };
  const secret = async (): Promise<unknown> => JSON.parse(await kubectlOk(['get', 'secret', `${name}-tls`, '-n', name, '-o', 'json'])).data;
  const caBundle = async (): Promise<string> => {
    const { spec } = JSON.parse(await kubectlOk(['get', 'apiservice', project.apiService, '-o', 'json']));
    return Buffer.from(spec.caBundle, 'base64').toString();
  };
  const filesCa = (): string => readFileSync(join(project.dir, 'certs', 'ca.crt'), 'utf8');

  beforeAll(async () => {
    project = await makeAnyApiProject({ name, replicas: 1 });
    chart = join(project.dir, 'chart');
    await ok(apisvc(['render', '-C', project.dir, '-o', 'helm', '--output-dir', chart]));
    await kubectlOk(['create', 'namespace', name]);
  });
  afterAll(async () => {
    await helm('uninstall', name, '--ignore-not-found');
    await removeAnyApiProject(project, name);
  });

  const registerOnly = (parts: string) => apisvc(['register', '-C', project.dir, '--only', parts, '--timeout', '80s']);

  test('passes helm lint, and renders the same bytes twice', async () => {
    expect(await ok(helm('lint', chart, '--strict'))).toContain('1 chart(s) linted, 0 chart(s) failed');
    const first = await ok(helm('template', name, chart));
    expect(await ok(helm('template', name, chart))).toBe(first);
    expect(first).toContain(`image: "docker.io/library/any-api:0.37.2"`);
    expect(first).not.toContain('kind: Secret');
  });

  test('refuses values that its schema does not allow, and another namespace', async () => {
    const bad = await helm('template', name, chart, '--set', 'replicas=many');
    expect({ exitCode: bad.exitCode, stderr: bad.stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('replicas') });
    const elsewhere = await helm('template', name, chart, '--namespace', 'elsewhere');
    expect(elsewhere.exitCode).toBe(1);
    expect(elsewhere.stderr).toContain(`the serving certificate is valid only in namespace ${name}: add --namespace ${name}`);
  });

  test('installs an API that works after register --only', async () => {
    const early = await registerOnly('secrets,apiservices');
    expect({ exitCode: early.exitCode, stderr: early.stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(
        `error: apiservice/${project.apiService} not found\nnothing was changed\nfix: Create it with the tool`,
      ),
    });
    expect(await ok(helm('install', name, chart))).toContain('apisvc register --only secrets,apiservices');
    expect(await ok(registerOnly('secrets,apiservices'))).toMatch(/^2 objects: 1 created, 1 configured\.\n/);
    expect(await caBundle()).toBe(filesCa());
  });

  test('is upgraded without new certificates', async () => {
    const before = await secret();
    await ok(helm('upgrade', name, chart, '--set', 'replicas=2', '--wait', '--timeout', '60s'));
    expect(await secret()).toEqual(before);
    expect(await kubectlOk(['get', 'deployment', name, '-n', name, '-o', 'jsonpath={.status.readyReplicas}'])).toBe('2');
    await ok(apisvc(['verify', '-C', project.dir]));
  });

  test('is upgraded after a rotation of the CA, and keeps the caBundle of the rotation', async () => {
    const before = filesCa();
    await ok(apisvc(['rotate', '--ca', '-C', project.dir, '--soak', '1s', '--timeout', '80s']));
    expect(filesCa()).not.toBe(before);
    await ok(helm('upgrade', name, chart, '--set', 'replicas=1', '--wait', '--timeout', '60s'));
    expect(await caBundle()).toBe(filesCa());
    await ok(apisvc(['verify', '-C', project.dir]));
  });

  /** docs/helm.md, "Upgrades and rotation". */
  describe('with the value caBundle', () => {
    const upgrade = (...values: readonly string[]) => ok(helm('upgrade', name, chart, ...values, '--wait', '--timeout', '60s'));
    const ownBundle = () => upgrade('--set-file', `caBundle=${join(project.dir, 'certs', 'ca.crt')}`);
    const managers = () => bundleManagersOf(project.apiService);

    if (name === 'helm-4')
      test('owns the field, which rotate --ca refuses, and gives it up without a failed request', async () => {
        await ownBundle();
        expect((await managers()).sort()).toEqual(['apisvc', 'helm']);
        const before = await placesOf(project, name);
        const { exitCode, errors } = await rotateRefused(project, '--ca', '--soak', '0s');
        expect({ exitCode, errors }).toEqual({ exitCode: 1, errors: expect.stringContaining('.spec.caBundle: conflict with "helm"') });
        expect(errors).toContain(`To roll back: apisvc rotate -C ${project.dir} --abort`);
        expect({ ...(await placesOf(project, name)), pending: false }).toEqual(before);
        const report = await underLoad(project, async () => {
          await rotateOk(project, '--abort', '--soak', '0s');
          await ok(registerOnly('secrets,apiservices'));
          await upgrade('--reuse-values', '--set', 'caBundle=');
          expect(await managers()).toEqual(['apisvc']);
          await rotateOk(project, '--ca', '--soak', '0s', '--nudge');
        });
        // The pod of the second replica may be ending.
        expectNoFailureDuringRestart(report);
        await expectAgreement(project, name);
      });
    else
      test('owns nothing, writes only a changed value, and deletes the field', async () => {
        await ownBundle();
        expect(await managers()).toEqual(['apisvc']);
        await rotateOk(project, '--ca', '--soak', '0s', '--nudge');
        await upgrade('--reuse-values');
        expect(await caBundle()).toBe(filesCa());
        await upgrade('--set', 'caBundle=');
        expect(await managers()).toEqual([]);
        expect(await ok(registerOnly('apiservices'))).toMatch(/^1 objects?: 1 configured\.\n/);
        await upgrade();
        expect(await caBundle()).toBe(filesCa());
        await ok(apisvc(['verify', '-C', project.dir]));
      });
  });
});
