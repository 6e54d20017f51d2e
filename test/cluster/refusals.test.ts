import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { builtInGroups } from '../../src/config/built-in-groups.ts';
import { schedules } from '../unit/config/schedules.ts';
import { serveHttps } from './harness/backends.ts';
import { apisvc, kubectl } from './harness/commands.ts';
import { editConfiguration, failure, getObject, kubectlOk, objectsOf, servingPairOf, waitForOutput } from './harness/projects.ts';
import { project, removeProjects } from './harness/registered.ts';
import { apiServiceNameOf, groupOf, handMade } from './harness/registrations.ts';

afterAll(removeProjects);

describe('register does not change', () => {
  test.each([
    [
      'points at another Service',
      'guard-service',
      {},
      /points at Service elsewhere\/other; registering would redirect the API to another server/,
    ],
    [
      'is Local',
      'guard-local',
      { service: undefined, caBundle: undefined },
      /is Local: the API is built into kube-apiserver or defined by/,
    ],
  ])('an APIService that %s', async (_, name, spec, message) => {
    const { dir, apiService } = await project(name);
    const { apiService: theirs } = handMade({ namespace: 'elsewhere', service: 'other', port: 1, ca: '' });
    const identity = { group: groupOf(name), version: 'v1' };
    await kubectlOk(['create', '-f', '-'], {
      ...theirs,
      metadata: { name: apiService },
      spec: { ...theirs.spec, caBundle: undefined, ...identity, ...spec },
    });
    const { exitCode, stdout, stderr } = await failure(apisvc(['register'], { cwd: dir }));
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 1, stdout: '', stderr: expect.stringMatching(message) });
    expect(stderr).toContain('\nfix: ');
    expect(await getObject('namespace', name)).toBeUndefined();
  });

  test('the APIService of a CustomResourceDefinition, which kube-apiserver manages', async () => {
    const { dir, apiService } = await project('guard-managed');
    const group = groupOf('guard-managed');
    const names = { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' };
    const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }];
    await kubectlOk(['create', '-f', '-'], {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `things.${group}` },
      spec: { group, scope: 'Namespaced', names, versions },
    });
    onTestFinished(async () => void (await kubectlOk(['delete', 'crd', `things.${group}`])));
    await kubectlOk(['wait', '--for=create', `apiservice/${apiService}`, '--timeout=80s']);
    const { exitCode, stderr } = await failure(apisvc(['register'], { cwd: dir }));
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`APIService ${apiService} is Local`);
    expect(stderr).not.toMatch(/kubectl.* apiservice/);
    expect(await getObject('namespace', 'guard-managed')).toBeUndefined();
  });

  test('a built-in API group, whatever the cluster serves', async () => {
    const { items } = JSON.parse(
      await kubectlOk(['get', 'apiservices', '-l', 'kube-aggregator.kubernetes.io/automanaged=onstart', '-o', 'json']),
    );
    const groups: string[] = items.map(({ spec }: { spec: { group?: string } }) => spec.group ?? '');
    expect(groups).toContain('apps');
    expect(groups.filter((group) => group !== '' && !builtInGroups.has(group))).toEqual([]);
  });
});

describe('register while it waits', () => {
  test('times out with what it waited for and the last state', async () => {
    const { dir, apiService } = await project('too-late');
    const { exitCode, stdout, stderr } = await failure(apisvc(['register', '--timeout', '15s'], { cwd: dir }));
    expect({ exitCode, stdout }).toEqual({ exitCode: 124, stdout: '' });
    expect(stderr).toMatch(
      /\nerror: timed out after 15s .*waiting for every endpoint to serve a certificate for api\.too-late\.svc .*last state: \S+: connection refused\nfix: /,
    );
    expect(await getObject('apiservice', apiService)).toBeUndefined();
  });

  test('times out with the condition of an APIService that does not become Available', async () => {
    const { dir, apiService } = await project('never');
    const backend = await serveHttps(servingPairOf(dir), { status: 404, body: 'no such API' });
    onTestFinished(backend.stop);
    editConfiguration(dir, (document) => document.setIn(['spec', 'server', 'external', 'port'], backend.port));
    const { exitCode, stderr } = await failure(apisvc(['register', '--timeout', '20s'], { cwd: dir }));
    expect(exitCode).toBe(124);
    expect(stderr).toMatch(
      new RegExp(
        `\nerror: timed out after 20s .*waiting for APIService ${apiService} to become Available; last state: Available=False \\(FailedDiscoveryCheck\\): .*404`,
      ),
    );
  });

  test.each([
    ['SIGINT', 130, 'interrupted'],
    ['SIGTERM', 143, 'terminated'],
  ] as const)('ends on %s, and the same command continues from there', async (signal, code, word) => {
    const { dir, apiService, start } = await project(signal.toLowerCase());
    const running = apisvc(['register'], { cwd: dir });
    await waitForOutput(running, /waiting for .*: connection refused/);
    running.kill(signal);
    const { exitCode, stdout, stderr } = await failure(running);
    expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: '' });
    expect(stderr).toMatch(
      new RegExp(`\nerror: ${word}\nfix: Run the same command again to continue. The applied objects stay in the cluster.\n$`),
    );
    expect(await getObject('apiservice', apiService)).toBeUndefined();

    await start();
    const again = await apisvc(['register'], { cwd: dir });
    expect(again).toMatchObject({ exitCode: 0 });
    expect(again.stdout).toMatch(/^\d+ objects: 1 created, \d+ unchanged\.\n/);
  });
});

describe('an object that the cluster rejects', () => {
  test('is reported with the reason, before the API is registered', async () => {
    const { dir, apiService } = await project('rejected');
    editConfiguration(dir, (document) => document.setIn(['spec', 'service', 'annotations'], { 'not a key': 'x' }));
    const { exitCode, stdout, stderr } = await failure(apisvc(['register'], { cwd: dir }));
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/\nerror: the cluster rejects service\/rejected\/api: .*metadata\.annotations.*"not a key"/);
    expect(await getObject('apiservice', apiService)).toBeUndefined();
  });

  test('is found with a dry run if the namespace exists, so that nothing changes', async () => {
    const { dir } = await project('rejected-early');
    await kubectlOk(['create', 'namespace', 'rejected-early']);
    editConfiguration(dir, (document) => document.setIn(['spec', 'service', 'annotations'], { 'not a key': 'x' }));
    const { exitCode, stdout, stderr } = await failure(apisvc(['register'], { cwd: dir }));
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/\nerror: the cluster rejects service\/rejected-early\/api: .*"not a key".*\nnothing was changed\n/);
    expect(await objectsOf('rejected-early')).toEqual({});
  });

  test('because of a quota is not reported as missing permissions', async () => {
    const { dir, apiService } = await project('quota');
    await kubectlOk(['create', 'namespace', 'quota']);
    await kubectlOk(['create', 'quota', 'none', '--hard=services=0', '-n', 'quota']);
    const { exitCode, stdout, stderr } = await failure(apisvc(['register'], { cwd: dir }));
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
    expect(stderr).toMatch(/\nerror: not allowed to patch service\/quota\/api: .*quota.*\nfix: A policy, a quota or an admission webhook/);
    expect(await getObject('apiservice', apiService)).toBeUndefined();
  });

  test('because its namespace is terminating is reported with that reason', async () => {
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
  test('--dry-run=client does not connect to a cluster', async () => {
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

test('kube-apiserver refuses the schedules that render --cronjob refuses, and says why in the same words', async () => {
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'rotate', image: 'none' }] } };
  const items = schedules.map(([schedule], index) => ({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: `schedule-${index}`, namespace: 'default' },
    spec: { schedule, jobTemplate: { spec: { template } } },
  }));
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  const { stdout, stderr } = await kubectl(['create', '--dry-run=server', '-o', 'name', '-f', '-'], { input });
  expect(stdout.trim().split('\n')).toEqual(schedules.flatMap(([, fault], index) => (fault ? [] : [`cronjob.batch/schedule-${index}`])));
  for (const [schedule, fault] of schedules)
    if (fault !== undefined) expect(stderr).toContain(`spec.schedule: Invalid value: ${JSON.stringify(schedule)}: ${fault}`);
});
