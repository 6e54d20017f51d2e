import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Backend, backendAddress, resourceList, serveHttps, unusedPort } from './harness/backends.ts';
import { apisvc, kubectl } from './harness/commands.ts';
import {
  codesOf,
  editConfiguration,
  failure,
  getObject,
  kubectlOk,
  makeProject,
  servingPairOf,
  untilSaid,
  verifyJson,
} from './harness/projects.ts';
import { apiServiceNameOf, groupOf, handMade } from './harness/registrations.ts';
import { userKubeconfig } from './harness/users.ts';

const backends: Backend[] = [];
const names: string[] = [];

afterAll(async () => {
  await kubectl(['delete', 'apiservices', '--ignore-not-found', ...names.map(apiServiceNameOf)]);
  await kubectl(['delete', 'namespaces', '--ignore-not-found', '--wait=false', ...names]);
  const labels = `app.kubernetes.io/managed-by=apisvc,app.kubernetes.io/name in (${names})`;
  await kubectl(['delete', 'clusterroles,clusterrolebindings,rolebindings', '-n', 'kube-system', '-l', labels]);
  await Promise.all(backends.map((backend) => backend.stop()));
});

interface Project {
  readonly dir: string;
  readonly apiService: string;
  /** Starts the server that the project speaks of. */
  start(): Promise<void>;
}

/** A project whose namespace, group and APIService are named after the spec. */
async function project(name: string): Promise<Project> {
  names.push(name);
  const port = await unusedPort();
  const dir = await makeProject(name, { address: backendAddress, port });
  const start = async (): Promise<void> => {
    backends.push(await serveHttps(servingPairOf(dir), { body: resourceList(`${groupOf(name)}/v1`, 'things') }, port));
  };
  return { dir, apiService: apiServiceNameOf(name), start };
}

/** A project with its server, registered. */
async function registered(name: string): Promise<Project> {
  const made = await project(name);
  await made.start();
  expect(await apisvc(['register'], { cwd: made.dir })).toMatchObject({ exitCode: 0 });
  return made;
}

describe('register leaves alone what belongs to somebody else', () => {
  test.each([
    ['points at another Service', 'guard-service', {}, /points at Service elsewhere\/other; registering would take it away from there/],
    ['is Local', 'guard-local', { service: undefined, caBundle: undefined }, /is Local: kube-apiserver serves this group itself/],
  ])('an APIService that %s', async (_, name, spec, words) => {
    const { dir, apiService } = await project(name);
    const { apiService: theirs } = handMade({ namespace: 'elsewhere', service: 'other', port: 1, ca: '' });
    const identity = { group: groupOf(name), version: 'v1' };
    await kubectlOk(['create', '-f', '-'], {
      ...theirs,
      metadata: { name: apiService },
      spec: { ...theirs.spec, caBundle: undefined, ...identity, ...spec },
    });
    const { exitCode, stdout, stderr } = await failure(apisvc(['register'], { cwd: dir }));
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 1, stdout: '', stderr: expect.stringMatching(words) });
    expect(stderr).toContain('\nfix: ');
    expect(await getObject('namespace', name)).toBeUndefined();
  });

  test('an APIService that kube-apiserver manages', async () => {
    names.push('guard-managed');
    const dir = await makeProject('guard-managed', { address: backendAddress, port: 1 }, 'apps/v1');
    const { exitCode, stderr } = await failure(apisvc(['register'], { cwd: dir }));
    expect(exitCode).toBe(1);
    expect(stderr).toContain('APIService v1.apps carries the label kube-aggregator.kubernetes.io/automanaged');
    expect(await getObject('namespace', 'guard-managed')).toBeUndefined();
  });
});

describe('a field that another manager applied', () => {
  test('is a conflict, named with its owner; --force-conflicts takes it over', async () => {
    const { dir, apiService } = await registered('conflict');
    const theirs = {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: apiService },
      spec: { groupPriorityMinimum: 17, caBundle: Buffer.from('theirs').toString('base64') },
    };
    await kubectlOk(['apply', '--server-side', '--force-conflicts', '--field-manager=gitops', '-f', '-'], theirs);
    const before = await getObject('apiservice', apiService);

    const refused = await failure(apisvc(['register'], { cwd: dir }));
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toContain(`apiservice/${apiService} .spec.caBundle: conflict with "gitops"`);
    expect(refused.stderr).toContain(`apiservice/${apiService} .spec.groupPriorityMinimum: conflict with "gitops"`);
    expect(refused.stderr).toContain('--force-conflicts');
    expect((await getObject('apiservice', apiService))?.spec).toEqual(before?.spec);

    expect(await apisvc(['register', '--force-conflicts'], { cwd: dir })).toMatchObject({ exitCode: 0 });
    expect((await getObject('apiservice', apiService))?.spec).toMatchObject({ groupPriorityMinimum: 1000 });
    expect((await verifyJson([apiService])).exitCode).toBe(0);
  });
});

/** `Role in namespace x: {...}`, as they are printed, to the objects that grant them to a user. */
function granting(printed: string, user: string): object[] {
  const rbac = 'rbac.authorization.k8s.io';
  const rules = [...printed.matchAll(/^ +(ClusterRole|Role in namespace (\S+)): (\{.*\})$/gm)];
  expect(rules.length).toBeGreaterThan(0);
  return rules.flatMap(([, , namespace, rule], index) => {
    const metadata = { name: `${user}-${index}`, ...(namespace ? { namespace } : {}) };
    const kind = namespace ? 'Role' : 'ClusterRole';
    const apiVersion = `${rbac}/v1`;
    return [
      { apiVersion, kind, metadata, rules: [parse(rule ?? '')] },
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

describe('a user who is not allowed', () => {
  test('is told the RBAC rules, and they are enough', async () => {
    const { dir, start } = await project('rules');
    await start();
    const env = { KUBECONFIG: await userKubeconfig('rules-user') };
    const refused = await failure(apisvc(['register'], { cwd: dir, env }));
    expect(refused).toMatchObject({ exitCode: 3, stdout: '' });
    expect(refused.stderr).toMatch(/user "rules-user" is not allowed to get namespaces, patch namespaces, .*create apiservices\.apireg/);
    expect(refused.stderr).toContain(
      'ClusterRole: {apiGroups: ["apiregistration.k8s.io"], resources: [apiservices], resourceNames: ["v1.rules.example.com"], verbs: [get]}',
    );
    expect(await getObject('namespace', 'rules')).toBeUndefined();
    expect(refused.stderr).toContain(
      'ClusterRole: {apiGroups: ["rbac.authorization.k8s.io"], resources: [clusterroles], resourceNames: ["system:auth-delegator"], verbs: [bind]}',
    );

    await kubectlOk(['create', 'namespace', 'rules']);
    await kubectlOk(['create', '-f', '-'], { apiVersion: 'v1', kind: 'List', items: granting(refused.stderr, 'rules-user') });
    expect(await apisvc(['register'], { cwd: dir, env })).toMatchObject({ exitCode: 0 });
  });

  test('to see more than APIServices gets a verdict, and a list of what was not checked', async () => {
    const { apiService } = await registered('few-rights');
    await kubectlOk(['create', 'clusterrole', 'few-rights-look', '--verb=get', '--resource=apiservices']);
    await kubectlOk(['create', 'clusterrolebinding', 'few-rights-look', '--clusterrole=few-rights-look', '--user=looker']);
    const { exitCode, diagnosis } = await verifyJson([apiService], { env: { KUBECONFIG: await userKubeconfig('looker') } });
    expect({ exitCode, codes: codesOf(diagnosis), verdict: diagnosis.verdict }).toEqual({ exitCode: 0, codes: [], verdict: 'healthy' });
    expect(diagnosis.apis[0]?.notChecked).toEqual([
      { what: 'the Service', why: expect.stringContaining('resources: [services], resourceNames: ["api"], verbs: [get]') },
      { what: 'the EndpointSlices', why: expect.stringContaining('resources: [endpointslices], verbs: [list]') },
    ]);
  });
});

describe('while register waits', () => {
  test('the time may be up: it says what it waited for and what it saw last', async () => {
    const { dir, apiService } = await project('too-late');
    const { exitCode, stdout, stderr } = await failure(apisvc(['register', '--timeout', '3s'], { cwd: dir }));
    expect({ exitCode, stdout }).toEqual({ exitCode: 124, stdout: '' });
    expect(stderr).toMatch(
      /\nerror: timed out after 3s .*waiting for \S+ to serve a certificate for api\.too-late\.svc .*last seen: connection refused\nfix: /,
    );
    expect(await getObject('apiservice', apiService)).toBeUndefined();
  });

  test('for an APIService that never becomes Available, the condition is what it saw last', async () => {
    const { dir, apiService } = await project('never');
    const backend = await serveHttps(servingPairOf(dir), { status: 404, body: 'no such API' });
    backends.push(backend);
    editConfiguration(dir, (document) => document.setIn(['spec', 'server', 'external', 'port'], backend.port));
    const { exitCode, stderr } = await failure(apisvc(['register', '--timeout', '4s'], { cwd: dir }));
    expect(exitCode).toBe(124);
    expect(stderr).toMatch(
      new RegExp(
        `\nerror: timed out after 4s .*waiting for APIService ${apiService} to become Available; last seen: Available=False \\(FailedDiscoveryCheck\\): .*404`,
      ),
    );
  });

  test.each([
    ['SIGINT', 130, 'interrupted'],
    ['SIGTERM', 143, 'terminated'],
  ] as const)('%s ends it in good order, and the same command goes on from there', async (signal, code, word) => {
    const { dir, apiService, start } = await project(signal.toLowerCase());
    const running = apisvc(['register'], { cwd: dir });
    await untilSaid(running, /waiting for .*: connection refused/);
    running.kill(signal);
    const { exitCode, stdout, stderr } = await failure(running);
    expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: '' });
    expect(stderr).toMatch(new RegExp(`\nerror: ${word}\nfix: What was applied stays. Run the same command again to go on from there.\n$`));
    expect(await getObject('apiservice', apiService)).toBeUndefined();

    await start();
    const again = await apisvc(['register'], { cwd: dir });
    expect(again).toMatchObject({ exitCode: 0 });
    expect(again.stdout).toMatch(/^\d+ objects: 1 created, \d+ unchanged\.\n/);
  });
});

describe('what the server refuses', () => {
  test('is said with the object and the reason, before the API is registered', async () => {
    const { dir, apiService } = await project('rejected');
    editConfiguration(dir, (document) => document.setIn(['spec', 'service', 'annotations'], { 'not a key': 'x' }));
    const { exitCode, stdout, stderr } = await failure(apisvc(['register'], { cwd: dir }));
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/\nerror: the cluster rejects service\/rejected\/api: .*metadata\.annotations.*"not a key"/);
    expect(await getObject('apiservice', apiService)).toBeUndefined();
  });

  test('by a quota is not taken for a lack of rights', async () => {
    const { dir, apiService } = await project('quota');
    await kubectlOk(['create', 'namespace', 'quota']);
    await kubectlOk(['create', 'quota', 'none', '--hard=services=0', '-n', 'quota']);
    const { exitCode, stdout, stderr } = await failure(apisvc(['register'], { cwd: dir }));
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
    expect(stderr).toMatch(/\nerror: not allowed to patch service\/quota\/api: .*quota.*\nfix: A policy, a quota or an admission webhook/);
    expect(await getObject('apiservice', apiService)).toBeUndefined();
  });

  test('because the namespace is on its way out', async () => {
    const { dir, apiService } = await project('leaving');
    await kubectlOk(['create', 'namespace', 'leaving']);
    const hold = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'hold', namespace: 'leaving', finalizers: ['example.com/hold'] },
    };
    await kubectlOk(['create', '-f', '-'], hold);
    await kubectlOk(['delete', 'namespace', 'leaving', '--wait=false']);
    try {
      const { exitCode, stdout, stderr } = await failure(apisvc(['register'], { cwd: dir }));
      expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
      expect(stderr).toMatch(
        /\nerror: not allowed to patch serviceaccount\/leaving\/leaving: .*because it is being terminated\nfix: Wait until the namespace is gone/,
      );
      expect(await getObject('apiservice', apiService)).toBeUndefined();
    } finally {
      await kubectlOk(['patch', 'configmap', 'hold', '-n', 'leaving', '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
    }
  });
});

describe('a dry run', () => {
  test('--dry-run=client asks nobody', async () => {
    const { dir } = await project('dry-client');
    const { exitCode, stdout, stderr } = await apisvc(['register', '--dry-run=client'], { cwd: dir, env: { KUBECONFIG: '/none' } });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain(`apiservice/${apiServiceNameOf('dry-client')} would be applied (client dry run)\n`);
    expect(stdout).not.toContain('BEGIN');
  });

  test.each(['--dry-run=server', '--diff'])('%s in a cluster without the namespace changes nothing', async (flag) => {
    const name = `dry${flag.replace(/-+|=/g, '-')}`;
    const { dir, apiService } = await project(name);
    const { exitCode, stdout, stderr } = await apisvc(['register', flag], { cwd: dir });
    expect({ exitCode, stderr }).toMatchObject({ exitCode: flag === '--diff' ? 1 : 0 });
    expect(stdout).toContain(`apiservice/${apiService}`);
    expect(stdout).not.toContain('PRIVATE KEY');
    for (const object of [`namespace/${name}`, `apiservice/${apiService}`, `clusterrolebinding/${name}:${name}:auth-delegator`])
      expect(await getObject(...(object.split('/') as [string, string]))).toBeUndefined();
    expect(existsSync(join(dir, 'manifests'))).toBe(false);
  });
});
