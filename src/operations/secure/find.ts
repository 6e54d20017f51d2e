import { getObject, listObjects } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import { RefusedError } from '../../errors.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { didYouMean, similarNames } from '../../snapshot/similar-names.ts';
import type { ServiceView } from '../../snapshot/types.ts';
import { type Json, listOf, viewApiService, viewService } from '../../snapshot/views.ts';
import { injectorOf } from '../rotation/injection.ts';
import { leadsTo } from '../rotation/live.ts';
import { findPods } from '../service-pods.ts';
import { automanaged } from '../steps/takeover.ts';
import type { Waiting } from '../wait.ts';

type Asking = Pick<Waiting, 'cluster' | 'signal'>;

/** The Service that an APIService points at. */
export interface Backend {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

/** An APIService, and all others of its Service: they share the serving certificate. */
export interface Registered {
  readonly backend: Backend;
  readonly apiServices: readonly KubeObject[];
}

/**
 * Reads an APIService and all others that lead to the same port of the same Service.
 * @throws RefusedError where it does not exist, or where kube-apiserver manages it
 */
export async function findRegistered({ cluster, signal }: Asking, name: string): Promise<Registered> {
  const all = await listObjects(cluster, { resource: resources.APIService }, signal);
  const found = all.find(({ metadata }) => metadata.name === name);
  if (!found) throw notFound(name, all);
  const { service: backend, labels } = viewApiService(found);
  if (!backend)
    throw new RefusedError(
      `APIService ${name} is Local: kube-apiserver serves the API itself, so there is no serving certificate to verify`,
    );
  if (labels[automanaged] !== undefined)
    throw new RefusedError(
      `APIService ${name} has the label ${automanaged}: kube-apiserver manages this APIService and would overwrite changes`,
    );
  return { backend, apiServices: all.filter(leadsTo(backend)) };
}

function notFound(name: string, all: readonly KubeObject[]): RefusedError {
  const similar = similarNames(
    name,
    all.map(({ metadata }) => metadata.name),
  );
  return new RefusedError(`APIService "${name}" not found`, {
    fix: didYouMean(similar)[0] ?? 'List the APIServices: kubectl get apiservices',
  });
}

/** Whether kube-apiserver accepts every certificate for an APIService. */
export const isInsecure = (object: KubeObject): boolean => viewApiService(object).insecureSkipTLSVerify;

/** @throws RefusedError where another controller writes the caBundle */
export function refuseInjected(apiServices: readonly KubeObject[]): void {
  for (const object of apiServices) {
    const injector = injectorOf(object);
    if (injector === undefined) continue;
    const name = `apiservice/${object.metadata.name}`;
    throw new RefusedError(`${name} ${injector}, so the controller would overwrite the caBundle that apisvc writes`, {
      fix: `Remove insecureSkipTLSVerify to let the controller inject the caBundle: kubectl patch apiservice ${object.metadata.name} --type=merge -p '{"spec":{"insecureSkipTLSVerify":false}}'`,
    });
  }
}

/** The pods behind a Service, and what runs them. */
export interface RunningServer {
  readonly service: ServiceView;
  readonly object: KubeObject;
  /** Name or number of the port in the pods. */
  readonly targetPort: string;
  readonly pods: readonly KubeObject[];
  /** The Deployments of all pods; other owners as `kind/name`. */
  readonly deployments: readonly KubeObject[];
  readonly otherOwners: readonly string[];
}

/**
 * Finds the pods of a Service. Waits for a Deployment that starts its pods.
 * @throws RefusedError where the Service leads to no pods
 */
export async function findServer(waiting: Waiting, backend: Backend): Promise<RunningServer> {
  const object = await findService(waiting, backend);
  if (hasPods(object)) return findRunning(waiting, backend, object);
  const { type, externalName } = viewService(object);
  const why = type === 'ExternalName' ? `has the type ExternalName (${externalName})` : 'has no selector';
  throw new RefusedError(`${describeBackend(backend)} ${why}, so apisvc cannot give its server a certificate`, {
    fix: 'Create a project with spec.server.external in apisvc.yaml, and install its certificate on that server.',
  });
}

export const describeBackend = ({ namespace, name }: Backend): string => `Service ${namespace}/${name}`;

/** @throws RefusedError where it does not exist */
export async function findService({ cluster, signal }: Asking, backend: Backend): Promise<KubeObject> {
  const { namespace, name } = backend;
  const object = await getObject(cluster, { resource: resources.Service, namespace, name }, signal);
  if (!object) throw new RefusedError(`${describeBackend(backend)} not found, so the API has no server`);
  return object;
}

/** Whether a Service leads to pods that it selects. */
export function hasPods(object: KubeObject): boolean {
  const { type, selector } = viewService(object);
  return type !== 'ExternalName' && Object.keys(selector).length > 0;
}

/** As `findServer`, for a Service that was read. */
export async function findRunning(waiting: Waiting, backend: Backend, object: KubeObject): Promise<RunningServer> {
  const { namespace, name, port } = backend;
  const ref = describeBackend(backend);
  const service = viewService(object);
  const targetPort = service.ports.find((each) => each.port === port)?.targetPort;
  if (targetPort === undefined) throw new RefusedError(`${ref} has no port ${port}, so the API has no server`);
  const pods = await findPods(waiting, { namespace, name, selector: service.selector });
  return { service, object, targetPort, pods, ...(await ownersOf(waiting, pods)) };
}

async function ownersOf(
  { cluster, signal }: Asking,
  pods: readonly KubeObject[],
): Promise<Pick<RunningServer, 'deployments' | 'otherOwners'>> {
  const deployments = new Map<string, KubeObject>();
  const others = new Set<string>();
  for (const pod of pods) {
    const { namespace } = pod.metadata;
    const set = controllerOf(pod);
    const owner =
      set?.kind === 'ReplicaSet'
        ? controllerOf(await getObject(cluster, { resource: resources.ReplicaSet, namespace, name: set.name }, signal))
        : undefined;
    const found =
      owner?.kind === 'Deployment' && !deployments.has(owner.name)
        ? await getObject(cluster, { resource: resources.Deployment, namespace, name: owner.name }, signal)
        : undefined;
    if (found) deployments.set(found.metadata.name, found);
    else if (owner?.kind !== 'Deployment') others.add(set ? `${set.kind} ${set.name}` : `pod ${pod.metadata.name}`);
  }
  return { deployments: [...deployments.values()], otherOwners: [...others] };
}

interface Owner {
  readonly kind: string;
  readonly name: string;
}

const controllerOf = (object: (KubeObject & Json) | undefined): Owner | undefined =>
  listOf(object?.metadata.ownerReferences).find(({ controller }) => controller === true);
