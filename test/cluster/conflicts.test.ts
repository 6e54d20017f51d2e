import { afterAll, describe, expect, test } from 'vitest';
import { apisvc } from './harness/commands.ts';
import { failure, getObject, kubectlOk, objectsOf, verifyJson } from './harness/projects.ts';
import { project, registered, removeProjects } from './harness/registered.ts';

afterAll(removeProjects);

/** Applies an object with another field manager. */
const applyAsGitops = (object: object): Promise<string> =>
  kubectlOk(['apply', '--server-side', '--force-conflicts', '--field-manager=gitops', '-f', '-'], object);

/** Checks that register fails with conflicts and changes nothing. @returns stderr */
async function expectConflict(dir: string): Promise<string> {
  const { exitCode, stdout, stderr } = await failure(apisvc(['register'], { cwd: dir }));
  expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: 1, stdout: '' });
  expect(stderr).toMatch(/\nnothing was changed\nfix: .*--force-conflicts/);
  expect(stderr).not.toMatch(/ (created|configured)\n/);
  return stderr;
}

describe('a field that another manager applied', () => {
  test('is a conflict that names the owner, and --force-conflicts takes it over', async () => {
    const { dir, apiService } = await registered('conflict');
    await applyAsGitops({
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: apiService },
      spec: { groupPriorityMinimum: 17, caBundle: Buffer.from('theirs').toString('base64') },
    });
    // kube-apiserver updates the status, and the resourceVersion with it, at any time.
    const { [`APIService/${apiService}`]: _, ...before } = await objectsOf('conflict');
    const { spec } = (await getObject('apiservice', apiService)) ?? {};

    const stderr = await expectConflict(dir);
    expect(stderr).toContain(`apiservice/${apiService} .spec.caBundle: conflict with "gitops"`);
    expect(stderr).toContain(`apiservice/${apiService} .spec.groupPriorityMinimum: conflict with "gitops"`);
    expect((await getObject('apiservice', apiService))?.spec).toEqual(spec);
    expect(await objectsOf('conflict')).toMatchObject(before);

    expect(await apisvc(['register', '--force-conflicts'], { cwd: dir })).toMatchObject({ exitCode: 0 });
    expect((await getObject('apiservice', apiService))?.spec).toMatchObject({ groupPriorityMinimum: 1000 });
    expect((await verifyJson([apiService])).exitCode).toBe(0);
  });

  test('in a ClusterRole stops the first run before it creates any object', async () => {
    const { dir } = await project('conflict-role');
    const role = 'conflict-role:conflict-role';
    await applyAsGitops({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: role }, rules: [] });
    const before = await getObject('clusterrole', role);
    expect(await expectConflict(dir)).toContain(`clusterrole/${role} .rules: conflict with "gitops"`);
    expect(await getObject('clusterrole', role)).toEqual(before);
    expect(await getObject('namespace', 'conflict-role')).toBeUndefined();
    expect(await objectsOf('conflict-role')).toEqual({});
    await kubectlOk(['delete', 'clusterrole', role]);
  });

  test('in several objects is reported for all of them in one run', async () => {
    const { dir } = await project('conflict-many');
    const role = 'conflict-many:conflict-many';
    await kubectlOk(['create', 'namespace', 'conflict-many']);
    const metadata = { name: 'api', namespace: 'conflict-many' };
    await applyAsGitops({ apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 443, targetPort: 1 }] } });
    await applyAsGitops({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: role }, rules: [] });
    const before = await getObject('service', 'api', '-n', 'conflict-many');
    const stderr = await expectConflict(dir);
    expect(stderr).toContain('service/conflict-many/api .spec.ports[port=443,protocol="TCP"].targetPort: conflict with "gitops"');
    expect(stderr).toContain(`clusterrole/${role} .rules: conflict with "gitops"`);
    expect(await getObject('service', 'api', '-n', 'conflict-many')).toEqual(before);
    expect(await objectsOf('conflict-many')).toEqual({});
    await kubectlOk(['delete', 'clusterrole', role]);
  });

  test('with kubectl apply is a conflict, while a manual edit is restored', async () => {
    const { dir, apiService } = await registered('conflict-apply');
    const live = (await getObject('apiservice', apiService)) as unknown as { metadata: object; spec: object };
    const { apiVersion, kind } = live as unknown as { apiVersion: string; kind: string };
    const spec = { ...live.spec, caBundle: Buffer.from('theirs').toString('base64') };
    await kubectlOk(['apply', '-f', '-'], { apiVersion, kind, metadata: { name: apiService }, spec });
    const stderr = await expectConflict(dir);
    expect(stderr).toContain(
      `apiservice/${apiService} .spec.caBundle: conflict with "kubectl-client-side-apply" using apiregistration.k8s.io/v1`,
    );
    expect((await getObject('apiservice', apiService))?.spec).toMatchObject({ caBundle: spec.caBundle });
  });
});
