import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAuthority } from '../../src/pki/authority.ts';
import { issue } from '../../src/pki/leaf.ts';
import { createNetwork, removeNetwork, removeOrphanedNetworks } from '../../src/sandbox/real/network.ts';
import type { RunningProcess } from '../../src/sandbox/shared/process.ts';
import { kubectl } from './harness/commands.ts';
import { untilListed } from './harness/projects.ts';
import { type Cluster, cluster } from './harness/provided.ts';
import { startRun } from './harness/run.ts';
import { startSampleApiserver } from './harness/servers.ts';
import { serviceAccountKubeconfig, userKubeconfig } from './harness/users.ts';
import { wardleAccess, wardleRegistration } from './harness/wardle.ts';

/** Runs kubectl, which must succeed. @returns what it printed */
async function ok(args: readonly string[], input?: string): Promise<string> {
  const { exitCode, stdout, stderr } = await kubectl(args, input === undefined ? {} : { input });
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  return stdout;
}

test('kube-apiserver has the pinned version', async () => {
  const { serverVersion } = JSON.parse(await ok(['version', '-o', 'json']));
  expect(serverVersion).toMatchObject({ major: '1', minor: '37', gitVersion: 'v1.37.2' });
});

test('controllers create the default ServiceAccount and kube-root-ca.crt in a new namespace', async () => {
  await ok(['create', 'namespace', 'controllers']);
  await ok(['wait', '--for=create', '-n', 'controllers', 'serviceaccount/default', 'configmap/kube-root-ca.crt', '--timeout=80s']);
  await ok(['delete', 'namespace', 'controllers', '--wait=false']);
});

test('the ConfigMap extension-apiserver-authentication has the CA of the front proxy', async () => {
  const { data } = JSON.parse(await ok(['get', '-n', 'kube-system', 'configmap', 'extension-apiserver-authentication', '-o', 'json']));
  expect(data['requestheader-client-ca-file']).toContain('BEGIN CERTIFICATE');
  expect(data['requestheader-client-ca-file']).not.toBe(data['client-ca-file']);
  expect(data['requestheader-allowed-names']).toBe('["front-proxy-client"]');
});

test('a user of the harness has the name and groups of the certificate, and no permissions', async () => {
  const kubeconfig = await userKubeconfig('jane', ['developers']);
  const whoami = await kubectl(['auth', 'whoami', '-o', 'json'], { kubeconfig });
  expect(JSON.parse(whoami.stdout).status.userInfo).toMatchObject({ username: 'jane', groups: ['developers', 'system:authenticated'] });
  const { exitCode, stderr } = await kubectl(['get', 'secrets'], { kubeconfig });
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('User "jane" cannot list resource "secrets"'),
  });
});

describe('sample-apiserver registered without apisvc', () => {
  const namespace = 'by-hand';
  const port = 8443;
  let server: RunningProcess;

  beforeAll(async () => {
    const now = new Date();
    const authority = await createAuthority({ commonName: 'by-hand', keyType: 'ecdsa-p256', lifetimeMs: 3_600_000, now });
    const leaf = await issue({
      authority,
      subject: { commonName: 'api' },
      names: { dns: [`api.${namespace}.svc`], ip: [] },
      usages: ['serverAuth'],
      keyType: 'ecdsa-p256',
      lifetimeMs: 3_600_000,
      now,
    });
    const [certFile, keyFile] = [join(cluster.stateDir, 'by-hand.crt'), join(cluster.stateDir, 'by-hand.key')];
    await writeFile(certFile, leaf.certificates);
    await writeFile(keyFile, leaf.key.reveal(), { mode: 0o600 });

    await ok(['apply', '-f', '-'], wardleAccess(namespace));
    const kubeconfig = await serviceAccountKubeconfig(namespace, 'apiserver');
    server = await startSampleApiserver({ certFile, keyFile, port, kubeconfig });
    await ok(['apply', '-f', '-'], wardleRegistration({ namespace, address: cluster.network.address, port, authority }));
    await ok(['wait', '--for=condition=Available', 'apiservice/v1alpha1.wardle.example.com', '--timeout=80s']);
  });

  afterAll(async () => {
    // Delete the APIService first: as long as it exists, deleting the namespace has to list the
    // flunders in it.
    await kubectl(['delete', 'apiservice', 'v1alpha1.wardle.example.com', '--ignore-not-found']);
    await kubectl(['delete', '--wait=false', '-f', '-'], { input: wardleAccess(namespace) });
    await server?.stop();
  });

  test('serves discovery through the aggregation layer', async () => {
    const discovery = JSON.parse(await ok(['get', '--raw', '/apis/wardle.example.com/v1alpha1']));
    expect(discovery).toMatchObject({ kind: 'APIResourceList', groupVersion: 'wardle.example.com/v1alpha1' });
    expect(discovery.resources.map(({ name }: { name: string }) => name)).toContain('flunders');
  });

  test('stores objects', async () => {
    const flunder = { apiVersion: 'wardle.example.com/v1alpha1', kind: 'Flunder', metadata: { name: 'one', namespace } };
    await untilListed(['flunders', '-n', namespace]);
    await ok(['create', '-f', '-'], JSON.stringify(flunder));
    expect(await ok(['get', 'flunders', '-n', namespace, '-o', 'name'])).toBe('flunder.wardle.example.com/one\n');
  });
});

test('a server that exits at startup is reported with its last log lines', async () => {
  const start = startSampleApiserver({ certFile: '/none.crt', keyFile: '/none.key', port: 8444, kubeconfig: cluster.kubeconfig });
  await expect(start).rejects.toThrow(/^sample-apiserver exited with code 1: .*\/none.crt/);
});

describe('a killed run', () => {
  const namespaces = async () => (await execa('ip', ['netns', 'list'])).stdout.split('\n').map((line) => line.split(' ')[0]);
  const processesIn = async (name: string) => (await execa('ip', ['netns', 'pids', name])).stdout.split('\n').filter(Boolean);

  test('does not prevent the next run, which removes its leftovers', async () => {
    const held = execa(process.execPath, [join(import.meta.dirname, 'harness', 'hold-run.mjs')], { reject: false, stderr: 'inherit' });
    const { value } = await held.iterable()[Symbol.asyncIterator]().next();
    const killed: Cluster = JSON.parse(String(value));
    expect(await processesIn(killed.network.name)).toHaveLength(3);
    held.kill('SIGKILL');
    await held;
    await expect.poll(() => processesIn(killed.network.name), { timeout: 60_000 }).toEqual([]);

    const next = await startRun();
    try {
      expect(await namespaces()).toEqual(expect.arrayContaining([cluster.network.name, next.cluster.network.name]));
      expect(await namespaces()).not.toContain(killed.network.name);
      expect(existsSync(killed.stateDir)).toBe(false);
      await ok(['get', 'namespaces', '--kubeconfig', next.cluster.kubeconfig]);
    } finally {
      await next.stop(false);
    }
    expect(await namespaces()).not.toContain(next.cluster.network.name);
    expect(existsSync(next.cluster.stateDir)).toBe(false);
  });

  test('is cleaned up even if its servers are still running and its PID belongs to another process', async () => {
    // Process 1 is running, but has another start time.
    const name = `apisvc-1-999999999999-${process.pid}`;
    await execa('ip', ['netns', 'add', name]);
    const server = execa('nsenter', [`--net=/run/netns/${name}`, 'sleep', '600'], { reject: false });
    await expect.poll(() => processesIn(name), { timeout: 60_000 }).toHaveLength(1);

    await removeOrphanedNetworks();
    expect((await server).signal).toBe('SIGKILL');
    expect(await namespaces()).not.toContain(name);
    const network = await createNetwork();
    await removeNetwork(network);
    await removeNetwork(network); // the second call does nothing
    expect(await namespaces()).not.toContain(network.name);
  });

  test('is cleaned up even if it was killed while it created its network namespace', async () => {
    const name = `apisvc-1-999999999999-${process.pid}`;
    await writeFile(`/run/netns/${name}`, '');
    await removeOrphanedNetworks();
    expect(await namespaces()).not.toContain(name);
  });
});
