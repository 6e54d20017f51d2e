import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect } from 'vitest';
import { parseDocument } from 'yaml';
import type { Diagnosis } from '../../../src/diagnosis/types.ts';
import { projectFiles } from '../../../src/project/project.ts';
import { keyMarkersIn } from '../../unit/pki/key-traces.ts';
import type { ServingPair } from './backends.ts';
import { apisvc, environment, kubectl } from './commands.ts';
import { cluster } from './provided.ts';

/** Creates an empty folder for a spec. It is removed at the end of the run. */
export const emptyFolder = (): string => mkdtempSync(join(cluster.stateDir, 'spec-'));

/** Runs kubectl, which must succeed. @returns what it printed */
export async function kubectlOk(args: readonly string[], input?: unknown): Promise<string> {
  const { exitCode, stdout, stderr } = await kubectl(args, input === undefined ? {} : { input: JSON.stringify(input) });
  // Compare stderr only on failure: a successful command may print warnings.
  expect({ args, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ args, exitCode: 0, stderr: '' });
  return stdout;
}

/**
 * Waits until kubectl can get a resource. It finds it in the discovery document of all groups,
 * which kube-apiserver updates some time after it serves the API.
 */
export async function untilListed(args: readonly string[]): Promise<void> {
  const get = async () => {
    const { exitCode, stderr } = await kubectl(['get', ...args]);
    return { exitCode, stderr };
  };
  await expect.poll(get, { timeout: 90_000, interval: 500 }).toMatchObject({ exitCode: 0 });
}

/**
 * Expects that kubectl can get a resource at once after register, which waits for discovery.
 * @param stderr - of register. Discovery lists the API later only if register has said so.
 */
export async function expectListed(stderr: string, args: readonly string[]): Promise<void> {
  if (stderr.includes('discovery does not list the API yet')) await untilListed(args);
  else await kubectlOk(['get', ...args]);
}

/** Gets one object; undefined if it does not exist. */
export async function getObject(...args: string[]): Promise<Record<string, never> | undefined> {
  const found = await kubectlOk(['get', ...args, '--ignore-not-found', '-o', 'json']);
  return found === '' ? undefined : JSON.parse(found);
}

/** The resourceVersions of all objects with the labels of a project, by `<kind>/<name>`. */
export async function objectsOf(project: string): Promise<Record<string, string>> {
  const labels = `app.kubernetes.io/managed-by=apisvc,app.kubernetes.io/name=${project}`;
  const kinds = 'serviceaccounts,clusterroles,clusterrolebindings,rolebindings,services,endpointslices,secrets,apiservices';
  const { items } = JSON.parse(await kubectlOk(['get', kinds, '-A', '-l', labels, '-o', 'json']));
  // biome-ignore lint/suspicious/noExplicitAny: objects as kubectl prints them.
  return Object.fromEntries(items.map(({ kind, metadata }: any) => [`${kind}/${metadata.name}`, metadata.resourceVersion]));
}

export interface OutsideServer {
  readonly address: string;
  readonly port: number;
}

/**
 * Changes the server of a project to an external one, because these tests run servers as local
 * processes. Keeps its RBAC rules.
 */
export function moveOutside(dir: string, external: OutsideServer): void {
  editConfiguration(dir, (document) => {
    const rbac = document.getIn(['spec', 'server', 'rbac']);
    document.setIn(['spec', 'server'], document.createNode({ external: { addresses: [external.address], port: external.port }, rbac }));
  });
}

/** Edits apisvc.yaml as a user with an editor does. */
export function editConfiguration(dir: string, edit: (document: ReturnType<typeof parseDocument>) => void): void {
  const { configuration } = projectFiles(dir);
  const document = parseDocument(readFileSync(configuration, 'utf8'));
  edit(document);
  writeFileSync(configuration, document.toString());
}

export interface Identity {
  /** `<group>/<version>`. */
  readonly api?: string;
  readonly namespace?: string;
  readonly service?: string;
}

/**
 * Creates a project. By default `name` is also its namespace and part of its API group, and its
 * Service is named `api`.
 * @returns its directory
 */
export async function makeProject(name: string, external: OutsideServer, other: Identity = {}): Promise<string> {
  const { api = `${name}.example.com/v1`, namespace = name, service = 'api' } = other;
  const dir = emptyFolder();
  const identity = ['--name', name, '--namespace', namespace, '--service', service];
  const init = await apisvc(['init', dir, '--preset', 'custom', '--api', api, '--image', 'none', ...identity, '--yes']);
  expect(init).toMatchObject({ exitCode: 0, stderr: '' });
  moveOutside(dir, external);
  return dir;
}

/** Reads the serving certificate and key of a project. */
export function servingPairOf(dir: string): ServingPair {
  const { certificate, key } = projectFiles(dir);
  return { certificates: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
}

/** Runs `apisvc verify -o json`. @returns exit code and diagnosis */
export async function verifyJson(args: readonly string[], options: Parameters<typeof apisvc>[1] = {}) {
  const { exitCode, stdout, stderr } = await apisvc(['verify', ...args, '-o', 'json'], options);
  expect({ exitCode, stderr }).toMatchObject({ stderr: '' });
  return { exitCode, diagnosis: JSON.parse(stdout) as Diagnosis };
}

/** The codes of all findings of a diagnosis, without the findings that these explain. */
export const codesOf = ({ apis }: Diagnosis): string[] => apis.flatMap(({ findings }) => findings.map(({ code }) => code));

/**
 * Waits until the stderr of a running command matches.
 * @throws Error if the command ends before that
 */
export function waitForOutput(running: ReturnType<typeof apisvc>, pattern: RegExp): Promise<void> {
  let output = '';
  return new Promise((resolve, reject) => {
    running.stderr.on('data', (chunk) => {
      output += chunk;
      if (pattern.test(output)) resolve();
    });
    running.stderr.once('end', () => reject(new Error(`stderr does not match ${pattern}:\n${output}`)));
  });
}

/**
 * Awaits a command that is expected to fail, and checks that stderr has no stack trace and no
 * private key.
 */
export const failure = async (running: ReturnType<typeof apisvc>) => {
  const { exitCode, stdout, stderr } = await running;
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(keyMarkersIn(`${stdout}\n${stderr}`)).toEqual([]);
  return { exitCode, stdout, stderr };
};

/** The front-proxy CA that kube-apiserver publishes: PEM. */
export const frontProxyCa = (): Promise<string> =>
  kubectlOk([
    'get',
    'configmap',
    '-n',
    'kube-system',
    'extension-apiserver-authentication',
    '-o',
    'jsonpath={.data.requestheader-client-ca-file}',
  ]);

/** Pastes a command into the shell of an administrator. */
export async function paste(command: string): Promise<void> {
  const { exitCode, stderr } = await execa('sh', ['-c', command], {
    env: environment(cluster.kubeconfig),
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
  });
  // kubectl may tell on stderr what it adds.
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
}
