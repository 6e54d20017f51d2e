import { expect } from 'vitest';
import { type Backend, backendAddress, resourceList, type ServingPair, serveHttps, unusedPort } from './backends.ts';
import { apisvc, kubectl } from './commands.ts';
import { editConfiguration, emptyFolder, kubectlOk } from './projects.ts';
import { apiServiceNameOf, deleteApiServices, groupOf } from './registrations.ts';

/**
 * A project whose certificate others make or sign. Its server is installed already, and runs
 * outside the cluster: the spec writes the EndpointSlice of its Service.
 */
export interface IssuerProject {
  readonly name: string;
  readonly dir: string;
  readonly apiService: string;
  readonly host: string;
  /** Serves this certificate from now on. */
  serve(pair: ServingPair): Promise<void>;
  run(...args: string[]): ReturnType<typeof apisvc>;
}

/** The projects of a spec. `remove` them at its end. */
export function issuerProjects() {
  const names: string[] = [];
  const servers = new Map<string, Backend>();

  /** Creates a project with `init`, its namespace, and the endpoint of its server. */
  async function project(name: string, ...issuer: string[]): Promise<IssuerProject> {
    names.push(name);
    const dir = emptyFolder();
    const port = await unusedPort();
    const identity = ['--name', name, '--namespace', name, '--service', 'api', '--image', 'none'];
    const init = await apisvc(['init', dir, '--api', `${groupOf(name)}/v1`, ...identity, '--yes', '--issuer', ...issuer]);
    expect(init).toMatchObject({ exitCode: 0, stderr: '' });
    editConfiguration(dir, (document) =>
      document.setIn(['spec', 'server'], document.createNode({ existing: { selector: { app: name }, port } })),
    );
    await kubectlOk(['create', 'namespace', name]);
    await kubectlOk(['create', '-f', '-'], {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'api', namespace: name, labels: { 'kubernetes.io/service-name': 'api' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [backendAddress], conditions: { ready: true } }],
      ports: [{ name: '', port, protocol: 'TCP' }],
    });
    const serve = async (certificates: ServingPair): Promise<void> => {
      await servers.get(name)?.stop();
      servers.set(name, await serveHttps(certificates, { body: resourceList(`${groupOf(name)}/v1`, 'things') }, port));
    };
    const run = (...args: string[]) => apisvc([...args], { cwd: dir });
    return { name, dir, apiService: apiServiceNameOf(name), host: `api.${name}.svc`, serve, run };
  }

  async function remove(): Promise<void> {
    await deleteApiServices(...names.map(apiServiceNameOf));
    await kubectl(['delete', 'namespaces', '--ignore-not-found', '--wait=false', ...names]);
    await Promise.all([...servers.values()].map((server) => server.stop()));
  }

  return { project, remove };
}
