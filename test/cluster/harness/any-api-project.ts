import { expect, onTestFinished } from 'vitest';
import type { Document } from 'yaml';
import { apisvc, kubectl } from './commands.ts';
import { editConfiguration, emptyFolder } from './projects.ts';
import { apiServiceNameOf, groupOf } from './registrations.ts';
import type { LoadOptions } from './start-load.ts';
import { isShort } from './thorough.ts';

export interface AnyApiOptions {
  /**
   * Name of the project, its namespace, its Service and its Deployment. The group derives from it.
   */
  readonly name: string;
  /** By default three, and two in a whole tier, where each look at the pods takes less time. */
  readonly replicas?: number;
  /**
   * Flags of components/any-api. By default, the server keeps connections, reloads its certificate
   * and ends gracefully. `--close-connections`, `--certificate-once` and `--abrupt` change that.
   */
  readonly flags?: readonly string[];
  /** More flags of init. */
  readonly init?: readonly string[];
  readonly edit?: (document: Document) => void;
}

export interface AnyApiProject {
  readonly dir: string;
  readonly apiService: string;
  /** What startLoad requests. */
  readonly target: Pick<LoadOptions, 'path' | 'object'>;
}

/** Creates a project that runs components/any-api with one object in pods. Does not register it. */
export async function makeAnyApiProject({
  name,
  replicas = isShort ? 2 : 3,
  flags = [],
  init: more = [],
  edit,
}: AnyApiOptions): Promise<AnyApiProject> {
  const dir = emptyFolder();
  const api = `${groupOf(name)}/v1`;
  const identity = ['--name', name, '--namespace', name, '--service', name, '--image', 'docker.io/library/any-api:0.37.2'];
  const init = await apisvc(['init', dir, '--preset', 'custom', '--api', api, ...identity, ...more, '--yes']);
  expect(init).toMatchObject({ exitCode: 0, stderr: '' });
  editConfiguration(dir, (document) => {
    const args = ['--secure-port=8443', `--group-version=${api}`, '--things', ...flags];
    document.setIn(['spec', 'server', 'args'], document.createNode(args));
    document.setIn(['spec', 'server', 'replicas'], replicas);
    document.setIn(['spec', 'server', 'probes', 'readiness', 'periodSeconds'], 1);
    edit?.(document);
  });
  return { dir, apiService: apiServiceNameOf(name), target: { path: `/apis/${api}/namespaces/default/things`, object: 'one' } };
}

/** Registers such a project. @throws AssertionError with the output of register */
export async function registerAnyApiProject({ dir }: AnyApiProject): Promise<void> {
  const { exitCode, stdout, stderr } = await apisvc(['register', '-C', dir, '--timeout', '80s']);
  expect({ exitCode, output: exitCode === 0 ? '' : stdout + stderr }).toEqual({ exitCode: 0, output: '' });
}

/** Creates such a project and registers it. */
export async function installAnyApiProject(options: AnyApiOptions): Promise<AnyApiProject> {
  const project = await makeAnyApiProject(options);
  await registerAnyApiProject(project);
  return project;
}

/** Creates such a project and registers it, and removes it after the test. */
export async function anyApiProjectOfTest(options: AnyApiOptions): Promise<AnyApiProject> {
  const project = await makeAnyApiProject(options);
  onTestFinished(() => removeAnyApiProject(project, options.name));
  await registerAnyApiProject(project);
  return project;
}

/**
 * Flags of a server that closes each connection, and is ready only when it knows the CA of the
 * front proxy. A server on k8s.io/apiserver is ready before that.
 */
export const closingWhenReady = ['--close-connections', '--await-front-proxy'];

/** Deletes the APIService and the namespace of such a project, and does not wait. */
export async function removeAnyApiProject({ apiService }: AnyApiProject, name: string): Promise<void> {
  await kubectl(['delete', 'apiservice', apiService, '--ignore-not-found']);
  await kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait=false']);
}
