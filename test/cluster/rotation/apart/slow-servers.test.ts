import { expect, onTestFinished, test, vi } from 'vitest';
import { type AnyApiProject, anyApiProjectOfTest } from '../../harness/any-api-project.ts';
import { resourceList, serveHttps } from '../../harness/backends.ts';
import { makeCa, makeLeaf, pair, pem } from '../../harness/certificates.ts';
import { apisvc, kubectl } from '../../harness/commands.ts';
import { kubectlOk, waitForOutput } from '../../harness/projects.ts';
import { apiServiceNameOf, groupOf, handMade } from '../../harness/registrations.ts';
import { expectAgreement, expectNoFailure, fingerprintsOf, underLoad } from '../../harness/rotations.ts';
import { isThorough } from '../../harness/thorough.ts';

/** Servers that keep kube-apiserver busy or fail, and several APIServices of one Service. */

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
  onTestFinished(async () => void (await kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait=false'])));
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
  const project = await anyApiProjectOfTest({ name, flags: ['--close-connections'] });
  const slow = await registerSlow(`${name}-slow`, { path: '/openapi/v2', ms: 35_000 });
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

test('a server that holds kube-apiserver up for 35 seconds is awaited before the Secret is written', async () => {
  expect(await rotateHeldUp('held-up')).not.toContain(unseen);
});

// Waits two minutes more.
if (isThorough) {
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
  const project = await anyApiProjectOfTest({ name, flags: ['--close-connections'] });
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
