import { expect } from 'vitest';
import { type Backend, backendAddress, resourceList, type ServingPair, serveHttps, unusedPort } from './backends.ts';
import { apisvc, kubectl } from './commands.ts';
import { type Identity, makeProject, servingPairOf } from './projects.ts';
import { apiServiceNameOf, groupOf } from './registrations.ts';

/**
 * Projects with a separate server each. The spec file that creates them removes them at the end.
 */

const backends = new Map<string, Backend>();
const names: string[] = [];

export interface Project {
  readonly dir: string;
  readonly apiService: string;
  /**
   * Starts the server of the project, by default with its current certificate. Stops an earlier one
   * first.
   */
  start(pair?: ServingPair): Promise<void>;
}

/** Creates a project. Its group, APIService and, by default, namespace derive from `name`. */
export async function project(name: string, identity: Identity = {}): Promise<Project> {
  names.push(name, ...(identity.namespace === undefined ? [] : [identity.namespace]));
  const port = await unusedPort();
  const dir = await makeProject(name, { address: backendAddress, port }, identity);
  const start = async (pair = servingPairOf(dir)): Promise<void> => {
    await backends.get(name)?.stop();
    backends.set(name, await serveHttps(pair, { body: resourceList(`${groupOf(name)}/v1`, 'things') }, port));
  };
  return { dir, apiService: apiServiceNameOf(name), start };
}

/** Creates a project, starts its server, and registers it. */
export async function registered(name: string, identity: Identity = {}): Promise<Project> {
  const made = await project(name, identity);
  await made.start();
  expect(await apisvc(['register'], { cwd: made.dir })).toMatchObject({ exitCode: 0 });
  return made;
}

/** Removes all projects of this file from the cluster and stops their servers. */
export async function removeProjects(): Promise<void> {
  await kubectl(['delete', 'apiservices', '--ignore-not-found', ...names.map(apiServiceNameOf)]);
  await kubectl(['delete', 'namespaces', '--ignore-not-found', '--wait=false', ...names]);
  const labels = `app.kubernetes.io/managed-by=apisvc,app.kubernetes.io/name in (${names})`;
  await kubectl(['delete', 'clusterroles,clusterrolebindings,rolebindings', '-n', 'kube-system', '-l', labels]);
  await Promise.all([...backends.values()].map((backend) => backend.stop()));
  // The next file has its own.
  names.length = 0;
  backends.clear();
}
