import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { resourcePath, resources } from '../../src/cluster/resources.ts';
import { journalAnnotation, rotationLease } from '../../src/cluster/rotation-lease.ts';
import { installed, lines, name, withoutCa } from './installed.ts';

const { signal } = new AbortController();

test('a server gets a certificate beside what it has, and --undo restores all objects', async () => {
  const { cwd, run, objects } = await installed(withoutCa);
  const before = await objects();
  const diff = await run('secure', name, '--diff');
  const planned = await run('secure', name, '--diff', '-o', 'json');
  expect({ code: planned.code, ...JSON.parse(planned.stdout) }).toMatchObject({
    ...{ code: 1, outcome: 'planned', name },
    applied: expect.arrayContaining([{ object: 'secret/demo/demo-tls', change: 'created' }]),
  });
  expect({ code: diff.code, stderr: diff.stderr }).toMatchObject({ code: 1 });
  expect(lines(diff.stdout, /^[-+] +- --tls/)).toEqual([
    '-            - --tls-cert-file=/var/run/serving-cert/tls.crt',
    '-            - --tls-private-key-file=/var/run/serving-cert/tls.key',
    '+            - --tls-cert-file=/var/run/apisvc/serving-cert/tls.crt',
    '+            - --tls-private-key-file=/var/run/apisvc/serving-cert/tls.key',
  ]);
  expect(await run('secure', name)).toEqual({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('error: required flag "--yes" not set\nfix: Add --yes.\n'),
  });
  expect(existsSync(join(cwd, 'demo'))).toBe(false);
  expect(await objects()).toEqual(before);

  const secured = await run('secure', name, '--yes', '-o', 'json');
  expect({ code: secured.code, stderr: secured.stderr }).toMatchObject({ code: 0 });
  expect(JSON.parse(secured.stdout)).toMatchObject({
    apiVersion: 'apisvc.dev/secure/v1alpha1',
    outcome: 'secured',
    name,
    project: 'demo',
    applied: [
      { object: 'secret/demo/demo-tls', change: 'created' },
      { object: 'deployment/demo/demo', change: 'configured' },
      { object: `apiservice/${name}`, change: 'configured' },
    ],
    diagnosis: { verdict: 'healthy' },
  });
  expect(secured.stdout + secured.stderr + diff.stdout).not.toContain('PRIVATE KEY');
  expect(readdirSync(join(cwd, 'demo', 'certs')).sort()).toEqual(['.gitignore', 'ca.crt', 'ca.key', 'tls.crt', 'tls.key']);
  expect(await run('verify', '-C', 'demo')).toMatchObject({ code: 0 });
  expect(await run('secure', name)).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing to do.') });

  const undone = await run('secure', name, '--undo', '--yes');
  expect({ code: undone.code, stdout: undone.stdout, stderr: undone.stderr }).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /^1 deleted, 2 restored\.\nThe project in demo is kept\. To remove it: rm -r demo\n\n✓ v1alpha1\.demo\.apisvc\.dev: healthy with 1 warning\n/,
    ),
  });
  expect(await objects()).toEqual(before);
  expect(existsSync(join(cwd, 'demo', 'apisvc.yaml'))).toBe(true);
  expect(await run('secure', name, '--undo')).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing to undo.') });

  // The project is still there, and so are its certificates.
  expect(await run('secure', name, '--yes')).toMatchObject({ code: 0 });
  expect(await run('verify', '-C', 'demo')).toMatchObject({ code: 0 });
});

test.each([8443, 'https'])('a rolling restart gives the new pod another port of this host (targetPort %s)', async (targetPort) => {
  const { run } = await installed((object) => {
    withoutCa(object);
    if (object.kind === 'Service') object.spec.ports[0].targetPort = targetPort;
  });
  const { code, stderr } = await run('secure', name, '--yes', '--timeout', '60s');
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(await run('secure', name, '--undo', '--yes')).toMatchObject({ code: 0 });
});

test('a server whose Secret has a CA that verifies it needs only the APIService', async () => {
  const { cwd, run, objects } = await installed();
  const before = await objects();
  const { code, stdout, stderr } = await run('secure', name, '--yes', '-o', 'json');
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(JSON.parse(stdout)).toMatchObject({
    secret: 'demo/their-cert',
    applied: [{ object: `apiservice/${name}`, change: 'configured' }],
    diagnosis: { verdict: 'healthy' },
  });
  expect(readdirSync(cwd).filter((each) => !each.startsWith('tmp-'))).toEqual([]);
  expect(await run('secure', name, '--undo', '--yes')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^1 restored\.\n/),
  });
  expect(await objects()).toEqual(before);
});

test('what cannot be secured is refused with the reason', async () => {
  const { run, cluster } = await installed((object) => {
    withoutCa(object);
    if (object.kind === 'APIService') object.metadata.annotations = { 'cert-manager.io/inject-ca-from': 'demo/demo' };
  });
  expect(await run('secure', 'v1.apps', '--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('APIService v1.apps is Local'),
  });
  expect(await run('secure', 'v1alpha1.demo.apisvc.de', '--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`Did you mean ${name}?`),
  });
  expect(await run('secure', name, '--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`apiservice/${name} has the annotation cert-manager.io/inject-ca-from`),
  });
  const patch = async (path: string, body: object) =>
    expect((await cluster.request({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body, signal })).status).toBe(200);
  const api = resourcePath(resources.APIService, undefined, name);
  await patch(api, {
    metadata: {
      annotations: { 'cert-manager.io/inject-ca-from': null },
      labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' },
    },
  });
  expect(await run('secure', name, '--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('kube-apiserver manages this APIService'),
  });
  await patch(api, { metadata: { labels: { 'kube-aggregator.kubernetes.io/automanaged': null } } });
  await patch(resourcePath(resources.Service, 'demo', 'demo'), { spec: { selector: null } });
  expect(await run('secure', name, '--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Service demo/demo has no selector'),
  });
});

test('nothing is changed while a rotation is not complete', async () => {
  const { run, objects, cluster } = await installed(withoutCa);
  const before = await objects();
  const journal = { kind: 'leaf', direction: 'forward', step: 'secret', number: 2, steps: 4, title: 'Writing the Secret' };
  const started = { started: '2026-11-28T10:00:00Z', holder: 'alice@laptop', newCertificate: 'a'.repeat(64) };
  const body = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      ...rotationLease({ namespace: 'demo', name: 'demo' }),
      resource: undefined,
      annotations: { [journalAnnotation]: JSON.stringify({ ...journal, ...started }) },
    },
    spec: { holderIdentity: '' },
  };
  expect(await cluster.request({ method: 'POST', path: resourcePath(resources.Lease, 'demo'), body, signal })).toMatchObject({
    status: 201,
  });
  expect(await run('secure', name, '--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/was last run by alice@laptop\nnothing was changed\nfix: .*\n.*apisvc rotate -C demo --abort\n$/),
  });
  expect(await objects()).toEqual(before);
});

test('a run that was killed is continued by the next one', async () => {
  const { run, objects, killAt, cluster } = await installed(withoutCa);
  const before = await objects();
  for (const line of ['Adding the certificate', 'Waiting for the rollout', 'Turning on verification']) {
    await killAt(line, 'secure', name, '--yes');
  }
  expect(await run('secure', name, '--yes')).toMatchObject({ code: 0 });
  expect(await run('verify', '-C', 'demo')).toMatchObject({ code: 0 });
  for (const line of ['Turning off verification', 'Waiting for every kube-apiserver', 'Waiting for the rollout', 'Removing the Secret']) {
    await killAt(line, 'secure', name, '--undo', '--yes');
  }
  // Without --yes, only the first look runs.
  const looked = await run('secure', name, '--undo');
  expect(lines(looked.stderr, /holds the Lease/)).toHaveLength(1);
  const { code, stderr } = await run('secure', name, '--undo', '--yes');
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(lines(stderr, /holds the Lease/)).toHaveLength(1);
  expect(await objects()).toEqual(before);
  expect(await cluster.request({ path: `${resourcePath(resources.Lease, 'demo')}/apisvc-rotation-demo`, signal })).toMatchObject({
    status: 404,
  });
});
