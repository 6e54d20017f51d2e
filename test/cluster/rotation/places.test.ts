import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import type { Document } from 'yaml';
import { type AnyApiOptions, type AnyApiProject, makeAnyApiProject, registerAnyApiProject } from '../harness/any-api-project.ts';
import { resourceList, serveHttps } from '../harness/backends.ts';
import { makeCa, makeLeaf, pair, pem } from '../harness/certificates.ts';
import { apisvc, kubectl } from '../harness/commands.ts';
import { kubectlOk, servingPairOf, waitForOutput } from '../harness/projects.ts';
import { registered as registeredOutside, removeProjects } from '../harness/registered.ts';
import { apiServiceNameOf, groupOf, handMade } from '../harness/registrations.ts';
import {
  expectAgreement,
  expectNoFailure,
  expectNoFailureDuringRestart,
  fingerprintsOf,
  rotateOk,
  underLoad,
} from '../harness/rotations.ts';

/**
 * Servers that need a restart, servers outside the cluster, and several APIServices of one Service.
 */

const projects: AnyApiProject[] = [];
const names: string[] = [];

async function registered(options: AnyApiOptions): Promise<AnyApiProject> {
  const project = await makeAnyApiProject(options);
  projects.push(project);
  names.push(options.name);
  await registerAnyApiProject(project);
  return project;
}

afterAll(async () => {
  await removeProjects();
  for (const { apiService } of projects) await kubectl(['delete', 'apiservice', apiService, '--ignore-not-found']);
  if (names.length > 0) await kubectl(['delete', 'namespace', ...names, '--ignore-not-found', '--wait=false']);
});

test('pods that mount the Secret with subPath are restarted at once', async () => {
  const name = 'sub-path';
  const edit = (document: Document): void => {
    document.setIn(['spec', 'server', 'volumes'], document.createNode([{ name: 'file', secret: { secretName: `${name}-tls` } }]));
    const mount = { name: 'file', mountPath: '/file/tls.crt', subPath: 'tls.crt' };
    document.setIn(['spec', 'server', 'volumeMounts'], document.createNode([mount]));
  };
  const project = await registered({ name, flags: ['--close-connections', '--certificate-once'], edit });
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
if (process.env.APISVC_THOROUGH !== undefined) {
  test('pods that keep their certificate are restarted after the time of a reload', async () => {
    const name = 'keeps-certificate';
    const project = await registered({ name, flags: ['--close-connections', '--certificate-once'] });
    const report = await underLoad(project, async () => {
      const { stderr } = await rotateOk(project);
      expect(stderr).toMatch(/note: restarting the pods of Deployment \S+: pod \S+: it still serves another certificate after 100s/);
    });
    expectNoFailureDuringRestart(report);
    await expectAgreement(project, name);
  });
}

/**
 * Registers an API some of whose documents take long. While kube-apiserver reads /openapi/v2 of
 * one, it picks up no other APIService.
 */
async function registerSlow(name: string, late: { readonly path: string; readonly ms: number }) {
  const ca = await makeCa(`${name} CA`);
  const api = `${groupOf(name)}/v1`;
  const paths = { [`apis/${api}`]: { serverRelativeURL: `/openapi/v3/apis/${api}?hash=1` } };
  const reply = { body: { ...resourceList(api, 'things'), paths }, late };
  const { port, stop } = await serveHttps(pair(await makeLeaf(`${name}.${name}.svc`, ca)), reply);
  const apiService = apiServiceNameOf(name);
  names.push(name);
  await kubectlOk(['create', 'namespace', name]);
  const items = Object.values(handMade({ namespace: name, service: name, port, ca: pem(ca) }));
  await kubectlOk(['create', '-f', '-'], { apiVersion: 'v1', kind: 'List', items });
  await kubectlOk(['wait', '--for=condition=Available', `apiservice/${apiService}`, '--timeout=80s']);
  const isListed = async () => expect(await kubectlOk(['get', '--raw', '/openapi/v3'])).toContain(`apis/${api}`);
  await vi.waitFor(isListed, { timeout: 80_000, interval: 500 });
  return {
    apiService,
    /** Makes kube-apiserver read the document again. */
    change: () => kubectlOk(['annotate', 'apiservice', apiService, 'changed=yes']),
    stop: async () => {
      await kubectl(['delete', 'apiservice', apiService]);
      await stop();
    },
  };
}

/** Rotates the CA, and makes kube-apiserver read the document of the slow server meanwhile. */
async function rotateWhileChanged({ dir }: AnyApiProject, slow: { readonly change: () => Promise<unknown> }, ...flags: readonly string[]) {
  const running = apisvc(['rotate', '-C', dir, '--ca', '--soak', '0s', ...flags], { timeout: 300_000 });
  await waitForOutput(running, /==> Issuing/);
  await slow.change();
  const { exitCode, stderr } = await running;
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  return { stderr };
}

/** Allows a user everything but the URLs that are not resources, such as /metrics. */
async function allowResources(user: string): Promise<void> {
  const [rbac, metadata] = ['rbac.authorization.k8s.io', { name: user }];
  const rules = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }];
  const role = { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata, rules };
  const roleRef = { apiGroup: rbac, kind: 'ClusterRole', name: user };
  const binding = {
    ...role,
    kind: 'ClusterRoleBinding',
    rules: undefined,
    roleRef,
    subjects: [{ apiGroup: rbac, kind: 'User', name: user }],
  };
  await kubectlOk(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'List', items: [role, binding] });
}

/** Rotates with these flags while a server holds kube-apiserver up. @returns stderr */
async function rotateHeldUp(name: string, ...flags: readonly string[]): Promise<string> {
  const project = await registered({ name, flags: ['--close-connections'] });
  const slow = await registerSlow(`${name}-slow`, { path: '/openapi/v2', ms: 45_000 });
  try {
    let stderr = '';
    const report = await underLoad(project, async () => {
      ({ stderr } = await rotateWhileChanged(project, slow, ...flags));
    });
    expectNoFailure(report);
    await expectAgreement(project, name);
    return stderr;
  } finally {
    await slow.stop();
  }
}

const unseen = 'note: waiting 130s: GET /metrics does not show what holds kube-apiserver up';

test('a server that holds kube-apiserver up for 45 seconds is awaited before the Secret is written', async () => {
  expect(await rotateHeldUp('held-up')).not.toContain(unseen);
});

// Waits two minutes more.
if (process.env.APISVC_THOROUGH !== undefined) {
  test('a server that holds kube-apiserver up is awaited by a user who may not get the metrics', async () => {
    const name = 'held-up-unseen';
    await allowResources(name);
    try {
      expect(await rotateHeldUp(name, '--as', name)).toContain(unseen);
    } finally {
      await kubectl(['delete', 'clusterrole,clusterrolebinding', name]);
    }
  });
}

test('every APIService of the Service trusts both CAs, and ones that fail or are slow make the wait longer', async () => {
  const name = 'several';
  const project = await registered({ name, flags: ['--close-connections'] });
  const other = { ...JSON.parse(await kubectlOk(['get', 'apiservice', project.apiService, '-o', 'json'])) };
  const second = `v2.${other.spec.group}`;
  const { group, service, caBundle } = other.spec;
  await kubectlOk(['apply', '-f', '-'], {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: second },
    spec: { group, service, caBundle, version: 'v2', groupPriorityMinimum: 1000, versionPriority: 10 },
  });
  const slow = await registerSlow('slow-openapi', { path: '/openapi/v3/apis', ms: 20_000 });
  try {
    const report = await underLoad(project, async () => {
      const { stderr } = await rotateWhileChanged(project, slow);
      expect(stderr).toMatch(new RegExp(`note: waiting 70s: .*APIService ${second} is not available`));
      expect(stderr).toMatch(new RegExp(`note: waiting 70s: .*APIService ${slow.apiService} took \\d+\\.\\ds for its OpenAPI document`));
    });
    expectNoFailure(report);
    const { ca } = await expectAgreement(project, name);
    const bundle = await kubectlOk(['get', 'apiservice', second, '-o', 'jsonpath={.spec.caBundle}']);
    expect(fingerprintsOf(Buffer.from(bundle, 'base64').toString())).toEqual(ca);
  } finally {
    await kubectl(['delete', 'apiservice', second]);
    await slow.stop();
  }
});

test('a server outside the cluster is awaited until somebody installs the certificate', async () => {
  const { dir, start } = await registeredOutside('rotated-outside');
  const before = servingPairOf(dir);
  const running = apisvc(['rotate', '-C', dir, '--ca', '--soak', '0s'], { timeout: 120_000 });
  const next = join(dir, 'certs', 'next');
  await waitForOutput(
    running,
    new RegExp(`note: the server is outside the cluster; install ${next}/tls\\.crt and ${next}/tls\\.key there`),
  );
  await start({ certificates: readFileSync(join(next, 'tls.crt'), 'utf8'), key: readFileSync(join(next, 'tls.key'), 'utf8') });
  const { exitCode, stderr } = await running;
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(servingPairOf(dir)).not.toEqual(before);
  expect(await apisvc(['verify', '-C', dir])).toMatchObject({ exitCode: 0 });
});
