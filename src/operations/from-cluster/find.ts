import { listObjects, slicesOf } from '../../cluster/objects.ts';
import { ConfigurationError, parseRegistration } from '../../config/load.ts';
import type { Registration } from '../../config/schema.ts';
import { type FoundRegistration, foundConfiguration } from '../../config/secured.ts';
import { RefusedError } from '../../errors.ts';
import { projectAnnotation } from '../../manifests/labels.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { dialTargets } from '../../snapshot/targets.ts';
import { viewApiService, viewEndpoints, viewService } from '../../snapshot/views.ts';
import {
  type Backend,
  describeBackend,
  findRegistered,
  findRunning,
  findService,
  hasPods,
  type Registered,
  type RunningServer,
  refuseInjected,
} from '../secure/find.ts';
import { podFields, projectNameFor, registrationFields } from '../secure/running.ts';
import { findProgram } from '../secure/server-program.ts';
import type { Waiting } from '../wait.ts';
import { caBundleFile, type FoundIssuer } from './found.ts';
import { findIssuer } from './issuer.ts';

type Asking = Pick<Waiting, 'cluster' | 'signal'>;

/** A project that describes a running registration. */
export interface FoundProject {
  /** The text of apisvc.yaml. */
  readonly configuration: string;
  readonly registration: Registration;
  /** The file that `caBundleFile` of apisvc.yaml names. */
  readonly caBundle?: { readonly file: string; readonly pem: string };
  /** Whether `secure` can turn on verification. */
  readonly canSecure: boolean;
}

/**
 * Makes a project from a running registration. Changes nothing in the cluster, and keeps no private
 * key.
 * @throws RefusedError with what the cluster does not tell, or what a project does not support;
 * ClusterError where the user may not look
 */
export async function findProject(waiting: Waiting, name: string): Promise<FoundProject> {
  const registered = await findRegistered(waiting, name);
  refuseOtherPorts(registered);
  const { backend, apiServices } = registered;
  const service = await findService(waiting, backend);
  const running = hasPods(service) ? await findRunning(waiting, backend, service) : undefined;
  const server = running ? { existing: podFields(running) } : { external: await findExternal(waiting, backend, service) };
  const { certificates, caBundle } = await findIssuer(waiting, { ...registered, service, running });
  const ownName = running ? projectNameFor(running, backend.name) : backend.name;
  const projectName = ownerOf(registered) ?? ownName;
  const found = { name: projectName, ...registrationFields(backend, apiServices, service), server, certificates };
  return {
    ...describe(found, name),
    ...(caBundle === undefined ? {} : { caBundle: { file: caBundleFile, pem: caBundle } }),
    canSecure: running !== undefined && projectName === ownName && canSecure(registered, running, certificates),
  };
}

/** The project has one port for all its APIServices. */
function refuseOtherPorts({ backend, apiServices }: Registered): void {
  const other = apiServices.find((object) => viewApiService(object).service?.port !== backend.port);
  if (!other) return;
  throw new RefusedError(
    `the APIServices of ${describeBackend(backend)} use several ports, but a project can have only one: apiservice/${other.metadata.name} does not use port ${backend.port}`,
    { fix: 'Set the same spec.service.port in all of them.' },
  );
}

/** The servers outside the cluster that a Service without a selector leads to. */
async function findExternal({ cluster, signal }: Asking, backend: Backend, service: KubeObject) {
  const { namespace, name, port } = backend;
  const view = viewService(service);
  const ref = describeBackend(backend);
  if (view.type === 'ExternalName')
    throw new RefusedError(`${ref} has the type ExternalName (${view.externalName}), which apisvc.yaml does not support`, {
      fix: 'Replace it with a Service without a selector, and an EndpointSlice with the addresses of the server.',
    });
  const slices = await listObjects(cluster, slicesOf({ namespace, name }), signal);
  const targets = dialTargets(view, slices.flatMap(viewEndpoints), port);
  const [first, ...ports] = new Set(targets.map((target) => target.port));
  if (first === undefined)
    throw new RefusedError(`${ref} has no selector and no ready endpoint on port ${port}, so the API has no server`, {
      fix: 'Create an EndpointSlice with the addresses of the server.',
    });
  if (ports.length > 0)
    throw new RefusedError(`the endpoints of ${ref} use several ports (${[first, ...ports].join(', ')}), but a project can have only one`, {
      fix: 'Use the same port in all EndpointSlices of the Service.',
    });
  return { addresses: [...new Set(targets.map(({ address }) => address))], port: first };
}

/**
 * The name of the project of apisvc that the APIServices belong to, so that `register` of the new
 * directory continues it.
 * @throws RefusedError for several projects
 */
function ownerOf({ backend, apiServices }: Registered): string | undefined {
  const owners = new Set(apiServices.flatMap(({ metadata }) => metadata.annotations?.[projectAnnotation] ?? []));
  const [owner, ...more] = owners;
  if (owner === undefined) return undefined;
  const [namespace, name] = owner.split('/');
  if (more.length === 0 && namespace === backend.namespace) return name;
  throw new RefusedError(`the APIServices of ${describeBackend(backend)} belong to other apisvc projects: ${[...owners].join(', ')}`, {
    fix: 'Run apisvc in the directories of those projects.',
  });
}

/** @throws RefusedError for values that apisvc.yaml does not allow */
function describe(found: FoundRegistration, name: string): Pick<FoundProject, 'configuration' | 'registration'> {
  const configuration = foundConfiguration(found);
  try {
    return { configuration, registration: parseRegistration(configuration, 'apisvc.yaml') };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const lines = error.problems.map(({ path, message }) => `  ${path}: ${message}`);
    throw new RefusedError(
      [`cannot create a project from APIService ${name}: apisvc.yaml does not support these values:`, ...lines].join('\n'),
      {
        cause: error,
      },
    );
  }
}

/** Whether `secure` would find what it needs, as far as it can be told without a dry run. */
function canSecure({ apiServices, backend }: Registered, running: RunningServer, { issuer }: FoundIssuer['certificates']): boolean {
  if (issuer.type !== 'insecure') return false;
  try {
    refuseInjected(apiServices);
    findProgram(running, backend.name);
    return true;
  } catch (error) {
    if (error instanceof RefusedError) return false;
    throw error;
  }
}
