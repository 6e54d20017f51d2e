import { getObject } from '../../cluster/objects.ts';
import { type ObjectRef, resources, subresources } from '../../cluster/resources.ts';
import type { Need } from '../../cluster/status.ts';
import { secretMounts } from '../../snapshot/secret-mounts.ts';
import { servingContainer } from '../../snapshot/server-view.ts';
import { viewApiService } from '../../snapshot/views.ts';
import { listNeeds } from '../list-needs.ts';
import { requireAccess, whenRefused } from '../permissions.ts';
import { anyApiService } from '../rotation/live.ts';
import type { Waiting } from '../wait.ts';
import type { Backend, RunningServer } from './find.ts';

/** What is known when a request is refused. */
export interface Known {
  /** The APIServices. */
  readonly names: readonly string[];
  readonly backend?: Backend | undefined;
  readonly server?: RunningServer;
  /** The user of --as. */
  readonly as: string | undefined;
}

/** The Secret for the certificate, by the name of the Service: the first one that is free. */
export const ownSecrets = (service: string): readonly string[] => [`${service}-tls`, `${service}-apisvc-tls`];

/** The Secrets that the container of the server mounts. */
export function mountedSecrets({ pods: [pod], targetPort }: RunningServer): readonly string[] {
  const container = pod && servingContainer(pod, targetPort);
  return container ? [...new Set(secretMounts(pod, container).map(({ name }) => name))] : [];
}

/**
 * The permissions that `secure` needs. Those to read come first. Of a server that is not known yet,
 * any Deployment in its namespace may be the one.
 */
export function secureNeeds({ names, backend, server, as }: Known): readonly Need[] {
  const registration = apiServiceNeeds(names, as);
  if (!backend) return registration;
  const { namespace, name: service } = backend;
  const [own = ''] = ownSecrets(service);
  const inNamespace = (resource: ObjectRef['resource'], name: string): ObjectRef => ({ resource, namespace, name });
  const deployments = server ? server.deployments.map(({ metadata }) => metadata.name) : ['*'];
  const mounted = server ? mountedSecrets(server) : [];
  return [
    ...registration,
    ...allow(inNamespace(resources.Service, service), 'get'),
    ...lookNeeds(namespace),
    ...allow(inNamespace(resources.ReplicaSet, '*'), 'get'),
    ...allow(inNamespace(resources.Deployment, '*'), 'list', 'watch'),
    ...deployments.flatMap((name) => allow(inNamespace(resources.Deployment, name), 'get', 'patch')),
    ...mounted.flatMap((name) => allow(inNamespace(resources.Secret, name), 'get')),
    ...allow(inNamespace(resources.Secret, own), 'get', 'patch', 'create'),
  ];
}

const apiServiceNeeds = (names: readonly string[], as: string | undefined): readonly Need[] => [
  ...allow(anyApiService, 'list', 'watch'),
  ...names.flatMap((name) => allow({ ...anyApiService, name }, 'get', 'patch')),
  ...(as === undefined ? [] : listNeeds(names.map((name) => name.slice(name.indexOf('.') + 1)))),
];

/** The permissions that `secure --undo` needs. The cluster knows what was changed. */
export function undoNeeds({ names, backend, as }: Known): readonly Need[] {
  const registration = apiServiceNeeds(names, as);
  if (!backend) return registration;
  const { namespace, name: service } = backend;
  const [own = ''] = ownSecrets(service);
  return [
    ...registration,
    ...allow({ resource: resources.Deployment, namespace, name: '*' }, 'list', 'watch', 'get', 'patch'),
    ...allow({ resource: resources.Secret, namespace, name: '*' }, 'list'),
    ...allow({ resource: resources.Secret, namespace, name: own }, 'get', 'delete'),
  ];
}

const allow = (ref: ObjectRef, ...verbs: readonly string[]): readonly Need[] => verbs.map((verb) => ({ verb, ref }));

/** The permissions to look at everything behind a Service. */
export const lookNeeds = (namespace: string): readonly Need[] => [
  ...[resources.Pod, resources.EndpointSlice].flatMap((resource) => allow({ resource, namespace, name: '*' }, 'list')),
  ...allow({ resource: subresources.podPortForward, namespace, name: '' }, 'get', 'create'),
];

/** For whoever may not look at the pods. */
export const mountsUnknown =
  'Then run the same command again. It may then ask for more permissions, depending on the Secrets that the server mounts.';
const backendUnknown = 'Then run the same command again. It may then ask for more permissions, depending on the namespace of the Service.';

/**
 * Runs work that lists the APIServices. To get one of them is enough to name all that is missing.
 * @param needsOf the permissions of the whole operation
 * @param unknown a sentence for the fix, where even then other needs are not known
 * @throws as `namingAllMissing`
 */
export async function namingMissingToFind<T>(
  { cluster, signal }: Waiting,
  name: string,
  needsOf: (known: Known) => readonly Need[],
  work: () => Promise<T>,
  unknown?: string,
): Promise<T> {
  return whenRefused(work, async () => {
    const found = await getObject(cluster, { ...anyApiService, name }, signal).catch(() => undefined);
    const backend = found && viewApiService(found).service;
    await requireAccess(cluster, needsOf({ names: [name], backend, as: cluster.as }), [], signal, backend ? unknown : backendUnknown);
  });
}
