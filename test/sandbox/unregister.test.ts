import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { type Cluster, connect } from '../../src/cluster/cluster.ts';
import { apisvc } from '../cli/apisvc.ts';
import { inventory } from '../cluster/harness/inventory.ts';
import { emptyFolder, startSandbox } from './harness.ts';
import { installed } from './installed.ts';

const name = 'v1alpha1.demo.apisvc.dev';

/** A sandbox with a registered project, and the objects that it had before. */
async function registered() {
  const cwd = emptyFolder();
  const box = await startSandbox(['--empty'], cwd);
  const run = (...args: string[]) => apisvc(args, { cwd, env: box.env });
  const cluster: Cluster = await connect({ kubeconfig: box.env.KUBECONFIG }, {}, new AbortController().signal);
  onTestFinished(() => cluster.close());
  expect(await run('init', 'demo', '--preset', 'demo', '--yes')).toMatchObject({ code: 0 });
  const before = await inventory(cluster);
  expect(await run('register', '-C', 'demo')).toMatchObject({ code: 0 });
  // The demo API reports the load of this machine.
  const now = async () =>
    Object.fromEntries(Object.entries(await inventory(cluster)).filter(([path]) => !path.startsWith('/apis/demo.apisvc.dev/')));
  return { run, before, now, cwd, cluster, context: cluster.context };
}

test('unregister leaves all objects as they were before register, and a second run has nothing to do', async () => {
  const { run, before, now } = await registered();
  const during = await now();
  expect(await run('unregister', '-C', 'demo')).toEqual({
    code: 2,
    stdout: '',
    stderr: 'error: required flag "--yes" not set\nfix: Add --yes.\n',
  });
  for (const where of ['client', 'server']) {
    const { code, stdout } = await run('unregister', '-C', 'demo', `--dry-run=${where}`);
    expect({ code, lines: stdout.split('\n') }).toMatchObject({
      code: 0,
      lines: expect.arrayContaining([`apiservice/${name} deleted (${where} dry run)`, `namespace/demo deleted (${where} dry run)`]),
    });
  }
  expect(await now()).toEqual(during);
  const { code, stdout, stderr } = await run('unregister', '-C', 'demo', '--yes', '-o', 'json');
  expect({ code, stderr: stderr.includes('PRIVATE KEY') }).toEqual({ code: 0, stderr: false });
  const { apiVersion, removed } = JSON.parse(stdout);
  expect(apiVersion).toBe('apisvc.dev/unregister/v1alpha1');
  expect(removed.at(0)).toEqual({ object: `apiservice/${name}`, change: 'deleted' });
  expect(removed.at(-1)).toEqual({ object: 'namespace/demo', change: 'deleted' });
  expect(await now()).toEqual(before);
  expect(await run('unregister', '-C', 'demo', '--yes')).toMatchObject({ code: 0, stdout: 'Nothing to do.\n' });
});

test('without the project, the name of its APIService or of the project unregisters it', async () => {
  const { run, before, now, context } = await registered();
  expect(await run('unregister', 'v1alpha1.demo.apisvc.de', '--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`error: APIService "v1alpha1.demo.apisvc.de" not found\nfix: Did you mean ${name}?\n`),
  });
  for (const flag of ['--yes', '--dry-run=client', '--dry-run=server']) {
    expect(await run('unregister', 'demo/demos', flag)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('error: project "demo/demos" not found\nfix: Did you mean demo/demo?\n'),
    });
  }
  expect(await run('unregister', name, '--yes', '--keep-secrets')).toMatchObject({ code: 0, stdout: '7 deleted, 2 kept.\n' });
  expect(await run('unregister', '--leftovers')).toMatchObject({
    code: 0,
    stdout: '1 object of project demo/demo, which has no APIService:\n  secret/demo/demo-tls\n  fix: apisvc unregister demo/demo\n',
  });
  expect(await run('unregister', '--leftovers', `--context=${context}`)).toMatchObject({
    stdout: expect.stringContaining(`  fix: apisvc unregister --context=${context} demo/demo\n`),
  });
  expect(await run('unregister', 'demo/demo', '--yes')).toMatchObject({ code: 0, stdout: '2 deleted.\n' });
  expect(await now()).toEqual(before);
  expect(await run('unregister', 'demo/demo', '--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('error: project "demo/demo" not found\nfix: To find what'),
  });
  expect(await run('unregister', '--leftovers')).toMatchObject({ code: 0, stdout: 'No leftovers.\n' });
});

test('a Local APIService is refused', async () => {
  const { run } = await registered();
  expect(await run('unregister', 'v1.apps', '--yes')).toMatchObject({ code: 1, stderr: expect.stringContaining('it is Local') });
});

test('an API of others that works is refused, with its owner and the way to remove it', async () => {
  const { run, objects } = await installed((object) => {
    if (object.kind === 'APIService') object.metadata.annotations = { 'meta.helm.sh/release-name': 'demo' };
  });
  const before = await objects();
  for (const flag of ['--yes', '--dry-run=client']) {
    expect(await run('unregister', name, flag)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        `error: APIService ${name} is available, and was not created by apisvc: Service demo/demo serves it, and Helm release demo manages it\n` +
          'fix: To remove the API and its server: helm uninstall demo\n' +
          `To delete only the APIService, even if clients still use its API: kubectl delete apiservice ${name}\n`,
      ),
    });
  }
  expect(await objects()).toEqual(before);
});

type Run = Awaited<ReturnType<typeof registered>>['run'];

/** Creates another project in namespace demo. */
async function initCustom(run: Run, project: { readonly dir: string; readonly name: string; readonly api: string }): Promise<void> {
  const flags = ['--preset', 'custom', '--api', project.api, '--name', project.name, '-n', 'demo', '--image', 'example.com/x:1', '--yes'];
  expect(await run('init', project.dir, ...flags)).toMatchObject({ code: 0 });
}

/** Expects that the project in `other` cannot be unregistered. */
async function expectRefused(run: Run, error: string): Promise<void> {
  for (const flag of ['--yes', '--dry-run=client']) {
    expect(await run('unregister', '-C', 'other', flag)).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(error) });
  }
}

test('the objects of another project are refused, and a project without objects has nothing to do', async () => {
  const { run, now } = await registered();
  await initCustom(run, { dir: 'other', name: 'other', api: 'demo.apisvc.dev/v1alpha1' });
  await initCustom(run, { dir: 'fresh', name: 'fresh', api: 'fresh.example.com/v1' });
  const before = await now();
  await expectRefused(
    run,
    `error: apiservice/${name} belongs to another project: demo/demo\nnothing was changed\n` +
      'fix: To unregister the other project, set its directory with -C, or name it:\napisvc unregister demo/demo\n',
  );
  expect(await run('unregister', '-C', 'fresh', '--yes')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Nothing to do/) });
  expect(await now()).toEqual(before);
});

test('a project of the same name with another API is refused, and another version of the API is not', async () => {
  const { run, before, now } = await registered();
  await initCustom(run, { dir: 'other', name: 'demo', api: 'my.example.com/v1' });
  await initCustom(run, { dir: 'later', name: 'demo', api: 'demo.apisvc.dev/v1beta1' });
  const during = await now();
  await expectRefused(
    run,
    `error: in the cluster, the APIServices of project demo/demo are ${name}; apisvc.yaml lists v1.my.example.com\nnothing was changed\n` +
      'fix: If these belong to another project with the same name, change metadata.name or metadata.namespace in apisvc.yaml.\n' +
      'Otherwise, to unregister them, name the project: apisvc unregister demo/demo\n',
  );
  expect(await now()).toEqual(during);
  expect(await run('unregister', '-C', 'later', '--yes')).toMatchObject({ code: 0 });
  expect(await now()).toEqual(before);
  expect(await run('unregister', '-C', 'other', '--yes')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Nothing to do/) });
});

const leases = '/apis/coordination.k8s.io/v1/namespaces/demo/leases';
const lease = 'lease/demo/apisvc-rotation-demo';

/** The Lease of a rotation that was killed after a step: `rotate` renews it every five seconds. */
const rotationLease = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: {
    name: 'apisvc-rotation-demo',
    namespace: 'demo',
    labels: { 'app.kubernetes.io/managed-by': 'apisvc' },
    annotations: {
      'apisvc.dev/registration': 'demo/demo',
      'apisvc.dev/rotation': JSON.stringify({
        ...{ kind: 'leaf', direction: 'forward', step: 'secret', number: 2, steps: 4, title: 'Writing', holder: 'alice@laptop' },
        started: '2026-05-01T10:00:00.123Z',
      }),
    },
  },
  spec: {
    holderIdentity: 'alice@laptop',
    acquireTime: '2026-05-01T10:00:00.123000Z',
    renewTime: '2026-05-01T10:00:00.123000Z',
    leaseDurationSeconds: 1,
  },
};

/** A registered project whose rotation was killed. */
async function rotating() {
  const all = await registered();
  const { run, cwd, cluster } = all;
  expect(await run('init', 'next', '--preset', 'demo', '--yes')).toMatchObject({ code: 0 });
  renameSync(join(cwd, 'next/certs'), join(cwd, 'demo/certs/next'));
  const { signal } = new AbortController();
  expect(await cluster.request({ method: 'POST', path: leases, body: rotationLease, signal })).toMatchObject({ status: 201 });
  const renew = async () => {
    // As long as that of rotate, so that a pause of this process does not end it.
    const body = { spec: { renewTime: `${new Date().toISOString().slice(0, -1)}000Z`, leaseDurationSeconds: 15 } };
    const contentType = 'application/merge-patch+json';
    await cluster.request({ method: 'PATCH', path: `${leases}/apisvc-rotation-demo`, contentType, body, signal });
  };
  /** 200, or 404 after it was deleted. */
  const leaseStatus = async () => (await cluster.request({ path: `${leases}/apisvc-rotation-demo`, signal })).status;
  return { ...all, renew, leaseStatus };
}

test('while a process renews the Lease of a rotation, unregister names it and changes nothing', async () => {
  const { run, renew, now, leaseStatus, context } = await rotating();
  const objects = async () => Object.keys(await now());
  const before = await objects();
  let running = true;
  const renewing = (async () => {
    while (running) await renew().then(() => sleep(50));
  })();
  const cluster = `--context=${context}`;
  for (const [args, command] of [
    [['-C', 'demo', '--yes'], 'apisvc status -C demo'],
    [['-C', 'demo', '--dry-run=client', cluster], `apisvc status ${cluster} -C demo`],
    [['demo/demo', '--yes'], `apisvc status ${name}`],
    [[name, '--yes', cluster], `apisvc status ${cluster} ${name}`],
  ] as const) {
    expect(await run('unregister', ...args)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(
        'error: alice@laptop has been rotating the certificate of Service demo/demo since 2026-05-01T10:00:00Z\nnothing was changed\n' +
          `fix: Wait until that rotation is complete. To see its progress: ${command}\n`,
      ),
    });
  }
  running = false;
  await renewing;
  expect(await objects()).toEqual(before);
  expect(await leaseStatus()).toBe(200);
});

test('unregister deletes the Lease of an interrupted rotation; rotate --abort discards certs/next, and register works', async () => {
  const { run, before, now, cwd, leaseStatus } = await rotating();
  const next = join(cwd, 'demo/certs/next');
  for (const where of ['client', 'server']) {
    const { code, stdout } = await run('unregister', '-C', 'demo', `--dry-run=${where}`);
    expect({ code, first: stdout.split('\n')[0] }).toEqual({ code: 0, first: `${lease} deleted (${where} dry run)` });
  }
  expect(await leaseStatus()).toBe(200);
  const { code, stdout, stderr } = await run('unregister', '-C', 'demo', '--yes');
  expect({ code, stdout, stderr }).toMatchObject({ code: 0, stdout: '10 deleted.\n', stderr: expect.stringContaining(`${lease} deleted`) });
  expect(await now()).toEqual(before);
  expect(await leaseStatus()).toBe(404);
  expect(existsSync(next)).toBe(true);
  for (const command of ['rotate', 'register']) {
    expect(await run(command, '-C', 'demo')).toMatchObject({ code: 1, stderr: expect.stringMatching(/apisvc rotate( -C demo)? --abort/) });
  }
  expect(await run('rotate', '--abort', '-C', 'demo')).toMatchObject({
    code: 0,
    stdout: 'The API is no longer registered. Discarded demo/certs/next.\n',
  });
  expect(existsSync(next)).toBe(false);
  expect(await run('rotate', '--abort', '-C', 'demo')).toMatchObject({ code: 0, stdout: 'No rotation is in progress. Nothing changed.\n' });
  expect(await run('register', '-C', 'demo')).toMatchObject({ code: 0 });
});

test('the Lease of a rotation whose project is gone is a leftover', async () => {
  const { run, now, cluster, leaseStatus } = await rotating();
  const { signal } = new AbortController();
  await cluster.request({ method: 'DELETE', path: `/apis/apiregistration.k8s.io/v1/apiservices/${name}`, signal });
  const { stdout } = await run('unregister', '--leftovers');
  expect(stdout).toContain(`of project demo/demo, which has no APIService:\n  ${lease}\n`);
  expect(await run('unregister', 'demo/demo', '--yes')).toMatchObject({ code: 0 });
  expect(await run('unregister', '--leftovers')).toMatchObject({ code: 0, stdout: 'No leftovers.\n' });
  expect(Object.keys(await now()).filter((path) => path.includes('demo'))).toEqual([]);
  expect(await leaseStatus()).toBe(404);
});
