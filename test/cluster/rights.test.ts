import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { apisvc } from './harness/commands.ts';
import { codesOf, failure, getObject, kubectlOk, verifyJson } from './harness/projects.ts';
import { project, registered, removeProjects } from './harness/registered.ts';
import { userKubeconfig } from './harness/users.ts';

afterAll(removeProjects);

interface Rule {
  readonly verbs: readonly string[];
}

/**
 * Converts printed rules, such as `Role in namespace x: {...}`, to the RBAC objects that grant them
 * to a user. Leaves out the verb `without`.
 */
function rbacObjects(printed: string, user: string, without?: string): object[] {
  const rbac = 'rbac.authorization.k8s.io';
  const rules = [...printed.matchAll(/^ +(ClusterRole|Role in namespace (\S+)): (\{.*\})$/gm)];
  expect(rules.length).toBeGreaterThan(0);
  return rules.flatMap(([, , namespace, text], index) => {
    const rule = parse(text ?? '') as Rule;
    const verbs = rule.verbs.filter((verb) => verb !== without);
    if (verbs.length === 0) return [];
    const metadata = { name: `${user}-${index}`, ...(namespace ? { namespace } : {}) };
    const kind = namespace ? 'Role' : 'ClusterRole';
    const apiVersion = `${rbac}/v1`;
    return [
      { apiVersion, kind, metadata, rules: [{ ...rule, verbs }] },
      {
        apiVersion,
        kind: `${kind}Binding`,
        metadata,
        roleRef: { apiGroup: rbac, kind, name: metadata.name },
        subjects: [{ apiGroup: rbac, kind: 'User', name: user }],
      },
    ];
  });
}

describe('a user without permissions', () => {
  test('gets the RBAC rules that are missing, and they are sufficient', async () => {
    const { dir, start } = await project('rules');
    await start();
    const env = { KUBECONFIG: await userKubeconfig('rules-user') };
    const refused = await failure(apisvc(['register'], { cwd: dir, env }));
    expect(refused).toMatchObject({ exitCode: 3, stdout: '' });
    expect(refused.stderr).toMatch(/user "rules-user" is not allowed to get, patch, create namespaces; .*create apiservices\.apireg/);
    expect(refused.stderr).toContain(
      'ClusterRole: {apiGroups: ["apiregistration.k8s.io"], resources: [apiservices], resourceNames: ["v1.rules.example.com"], verbs: [get, patch]}',
    );
    expect(await getObject('namespace', 'rules')).toBeUndefined();
    expect(refused.stderr).toContain(
      'ClusterRole: {apiGroups: ["rbac.authorization.k8s.io"], resources: [clusterroles], resourceNames: ["system:auth-delegator"], verbs: [bind]}',
    );

    await kubectlOk(['create', 'namespace', 'rules']);
    await kubectlOk(['create', '-f', '-'], { apiVersion: 'v1', kind: 'List', items: rbacObjects(refused.stderr, 'rules-user') });
    expect(await apisvc(['register'], { cwd: dir, env })).toMatchObject({ exitCode: 0 });
  });

  test('to create objects can still run register on existing ones', async () => {
    const { dir } = await registered('no-create');
    const env = { KUBECONFIG: await userKubeconfig('no-create-user') };
    const refused = await failure(apisvc(['register'], { cwd: dir, env }));
    expect(refused).toMatchObject({ exitCode: 3 });
    const items = rbacObjects(refused.stderr, 'no-create-user', 'create');
    expect(JSON.stringify(items)).not.toContain('"create"');
    await kubectlOk(['create', '-f', '-'], { apiVersion: 'v1', kind: 'List', items });
    const again = await apisvc(['register'], { cwd: dir, env });
    expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^Nothing changed: /) });
  });

  test('except to get APIServices gets a verdict and a list of what was not checked', async () => {
    const { apiService } = await registered('few-rights');
    await kubectlOk(['create', 'clusterrole', 'few-rights-look', '--verb=get', '--resource=apiservices']);
    await kubectlOk(['create', 'clusterrolebinding', 'few-rights-look', '--clusterrole=few-rights-look', '--user=looker']);
    const { exitCode, diagnosis } = await verifyJson([apiService], { env: { KUBECONFIG: await userKubeconfig('looker') } });
    expect({ exitCode, codes: codesOf(diagnosis), verdict: diagnosis.verdict }).toEqual({ exitCode: 0, codes: [], verdict: 'healthy' });
    expect(diagnosis.apis[0]?.notChecked).toEqual([
      { what: 'the Service', why: expect.stringContaining('resources: [services], resourceNames: ["api"], verbs: [get]') },
      { what: 'the EndpointSlices', why: expect.stringContaining('resources: [endpointslices], verbs: [list]') },
      { what: 'a list request to the API', why: expect.stringMatching(/resources: \[\w+\], verbs: \[list\]/) },
      {
        what: 'ConfigMap kube-system/extension-apiserver-authentication',
        why: expect.stringContaining('resources: [configmaps], resourceNames: ["extension-apiserver-authentication"], verbs: [get]'),
      },
      { what: 'the other APIServices', why: expect.stringContaining('resources: [apiservices], verbs: [list]') },
      {
        what: 'the CustomResourceDefinitions of the group',
        why: expect.stringContaining('resources: [customresourcedefinitions], verbs: [list]'),
      },
    ]);
  });
});
