import { expect } from 'vitest';
import { makeAnyApiProject } from '../../test/cluster/harness/any-api-project.ts';
import { apisvc } from '../../test/cluster/harness/commands.ts';
import { editConfiguration, emptyFolder, kubectlOk } from '../../test/cluster/harness/projects.ts';
import { makeSampleProject } from '../../test/cluster/harness/sample-project.ts';
import { installInsecure } from '../../test/cluster/harness/secured.ts';
import { shareEtcd, startSharedEtcd } from '../../test/cluster/harness/shared-etcd.ts';
import type { LoadOptions } from '../../test/cluster/harness/start-load.ts';

/** A registered server with three pods. */
export interface Registered {
  /** Of its project, or where `secure` makes one. */
  readonly dir: string;
  readonly namespace: string;
  readonly deployment: string;
  readonly apiService: string;
  readonly target: Pick<LoadOptions, 'path' | 'object' | 'watch'>;
}

export type ServerName = keyof typeof servers;

/** Each server by its name in the table. The function registers it. */
export const servers = {
  'sample-apiserver': registerSample,
  'closes connections': () => registerAnyApi('closing', ['--close-connections']),
  'closes connections, exits immediately': () => registerAnyApi('abrupt', ['--close-connections', '--abrupt']),
  'keeps connections, exits immediately': () => registerAnyApi('abrupt-keeping', ['--abrupt']),
  'keeps connections': () => registerAnyApi('keeping', []),
  'keeps connections, HTTP/1.1': () => registerAnyApi('keeping-http1', ['--disable-http2-serving']),
  'metrics-server': registerMetricsServer,
  'insecure, closes connections': () => registerInsecure('insecure-closing', ['--close-connections']),
  'insecure, keeps connections': () => registerInsecure('insecure-keeping', []),
} satisfies Record<string, () => Promise<Registered>>;

async function registerSample(): Promise<Registered> {
  const namespace = 'wardle';
  await startSharedEtcd(namespace);
  const dir = await makeSampleProject({ name: namespace, api: 'wardle.example.com/v1alpha1', edit: shareEtcd });
  await register(dir);
  const flunder = { apiVersion: 'wardle.example.com/v1alpha1', kind: 'Flunder', metadata: { name: 'one' } };
  const path = '/apis/wardle.example.com/v1alpha1/namespaces/default/flunders';
  await kubectlOk(['create', '--raw', path, '-f', '-'], flunder);
  return { dir, namespace, deployment: namespace, apiService: 'v1alpha1.wardle.example.com', target: { path, object: 'one' } };
}

async function registerAnyApi(name: string, flags: readonly string[]): Promise<Registered> {
  const { dir, apiService, target } = await makeAnyApiProject({ name, flags });
  await register(dir);
  return { dir, namespace: name, deployment: name, apiService, target };
}

/** It has no project yet, so `dir` is an empty folder. */
async function registerInsecure(name: string, flags: readonly string[]): Promise<Registered> {
  return { ...(await installInsecure({ name, flags })), dir: emptyFolder(), namespace: name, deployment: name };
}

async function registerMetricsServer(): Promise<Registered> {
  const dir = emptyFolder();
  expect(await apisvc(['init', dir, '--preset', 'metrics-server', '--yes'])).toMatchObject({ exitCode: 0 });
  editConfiguration(dir, (document) => document.setIn(['spec', 'server', 'replicas'], 3));
  await register(dir);
  const name = 'metrics-server';
  const target = { path: '/apis/metrics.k8s.io/v1beta1/nodes', object: 'node', watch: false };
  return { dir, namespace: 'kube-system', deployment: name, apiService: 'v1beta1.metrics.k8s.io', target };
}

async function register(dir: string): Promise<void> {
  const { exitCode, stderr } = await apisvc(['register', '-C', dir, '--timeout', '120s'], { timeout: 130_000 });
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
}
