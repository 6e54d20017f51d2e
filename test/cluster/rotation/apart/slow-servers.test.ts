import { expect, test } from 'vitest';
import { type AnyApiProject, anyApiProjectOfTest } from '../../harness/any-api-project.ts';
import { apisvc, kubectl } from '../../harness/commands.ts';
import { kubectlOk, waitForOutput } from '../../harness/projects.ts';
import { expectAgreement, expectNoFailure, fingerprintsOf, rotateOk, underLoad } from '../../harness/rotations.ts';
import { registerSlow } from '../../harness/slow-server.ts';
import { isThorough } from '../../harness/thorough.ts';

/** Servers that hold kube-apiserver up, and an APIService of the same Service that fails. */

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

const unseen = 'note: waiting 2m10s: GET /metrics does not show whether kube-apiserver is still processing APIServices';

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

test('every APIService of the Service trusts both CAs, and one that fails makes the wait no longer', async () => {
  const name = 'several';
  const project = await anyApiProjectOfTest({ name, flags: ['--close-connections'] });
  const { spec } = JSON.parse(await kubectlOk(['get', 'apiservice', project.apiService, '-o', 'json']));
  const { group, service, caBundle } = spec;
  const second = `v2.${group}`;
  await kubectlOk(['apply', '-f', '-'], {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: second },
    spec: { group, service, caBundle, version: 'v2', groupPriorityMinimum: 1000, versionPriority: 10 },
  });
  try {
    await kubectlOk(['wait', '--for=condition=Available=False', `apiservice/${second}`, '--timeout=80s']);
    const report = await underLoad(project, async () => {
      expect((await rotateOk(project, '--ca', '--soak', '0s')).stderr).not.toContain('note: waiting');
    });
    expectNoFailure(report);
    const { ca } = await expectAgreement(project, name);
    const bundle = await kubectlOk(['get', 'apiservice', second, '-o', 'jsonpath={.spec.caBundle}']);
    expect(fingerprintsOf(Buffer.from(bundle, 'base64').toString())).toEqual(ca);
  } finally {
    await kubectl(['delete', 'apiservice', second]);
  }
});
