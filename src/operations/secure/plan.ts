import { getObject } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import { parseRegistration } from '../../config/load.ts';
import { apiServiceNames, serverNameOf } from '../../config/registration.ts';
import type { Registration } from '../../config/schema.ts';
import { securedConfiguration } from '../../config/secured.ts';
import { RefusedError } from '../../errors.ts';
import { projectAnnotation, projectOf } from '../../manifests/labels.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { inspect } from '../../pki/inspect.ts';
import type { Issued } from '../../pki/types.ts';
import { collectContext } from '../../snapshot/collect/context.ts';
import { namingAllMissing } from '../permissions.ts';
import { describeServed, servedByAll } from '../served.ts';
import type { Waiting } from '../wait.ts';
import { findRegistered, findServer, isInsecure, type Registered, type RunningServer, refuseInjected } from './find.ts';
import { mountsUnknown, namingMissingToFind, ownSecrets, secureNeeds } from './needs.ts';
import { podFields, projectNameFor, registrationFields } from './running.ts';
import { findProgram, managerNotes } from './server-program.ts';
import { findUsable } from './usable.ts';

/** What `secure` has to do. */
export type SecurePlan =
  /** Every APIService of the Service verifies the certificate. */
  | { readonly kind: 'secured' }
  /** The server gets a certificate of apisvc. */
  | { readonly kind: 'adopt'; readonly registration: Registration; readonly configuration: string; readonly notes: readonly string[] }
  /** The server has a certificate whose CA its Secret holds. */
  | { readonly kind: 'trust'; readonly registration: Registration; readonly issued: Issued; readonly secret: string };

type Asking = Pick<Waiting, 'cluster' | 'signal'>;

/**
 * Finds what is behind an APIService, and what it takes to verify it. Changes nothing.
 * @throws RefusedError where that is not possible, with the reason; ClusterError with all
 * permissions that are missing; DeadlineError while a server starts
 */
export async function planSecure(waiting: Waiting, name: string): Promise<SecurePlan> {
  const { cluster, signal } = waiting;
  const registered = await namingMissingToFind(waiting, name, secureNeeds, () => findRegistered(waiting, name), mountsUnknown);
  const insecure = registered.apiServices.filter(isInsecure);
  if (insecure.length === 0) return { kind: 'secured' };
  refuseInjected(insecure);
  const known = { names: insecure.map(({ metadata }) => metadata.name), backend: registered.backend, as: cluster.as };
  const find = () => findServer(waiting, registered.backend);
  const server = await namingAllMissing(cluster, secureNeeds(known), signal, find, mountsUnknown);
  return namingAllMissing(cluster, secureNeeds({ ...known, server }), signal, () => planFor(waiting, registered, server));
}

async function planFor(waiting: Waiting, registered: Registered, server: RunningServer): Promise<SecurePlan> {
  const { namespace, name: service } = registered.backend;
  const insecure = registered.apiServices.filter(isInsecure);
  const usable = await findUsable(waiting, registered.backend, server);
  if (usable) {
    const { registration } = registrationOf(registered, server, { name: service, secretName: usable.secret });
    refuseOthers(registration, insecure);
    return { kind: 'trust', registration, ...usable };
  }
  const program = findProgram(server, `${namespace}/${service}`);
  const { deployment, container, mountPath } = program;
  const ownName = deployment.metadata.name;
  const projectName = projectNameFor(server, service);
  const secretName = await freeSecretName(waiting, registered, `${namespace}/${projectName}`);
  const made = registrationOf(registered, server, { name: projectName, secretName, mountPath, deployment: { name: ownName, container } });
  refuseOthers(made.registration, [...registered.apiServices, deployment]);
  refuseVerified(made.registration, registered.apiServices);
  return { kind: 'adopt', ...made, notes: managerNotes(deployment, secretName) };
}

interface Names {
  readonly name: string;
  readonly secretName: string;
  readonly mountPath?: string;
  readonly deployment?: { readonly name: string; readonly container: string };
}

/** The registration of a server that runs: everything in it is as the cluster has it. */
function registrationOf({ backend, apiServices }: Registered, server: RunningServer, names: Names) {
  const { namespace, name } = backend;
  const ours = apiServices.filter(
    (each) => isInsecure(each) || each.metadata.annotations?.[projectAnnotation] === `${namespace}/${names.name}`,
  );
  const configuration = securedConfiguration({
    name: names.name,
    ...registrationFields(backend, ours, server.object),
    ...podFields(server),
    ...(names.deployment ? { deployment: names.deployment } : {}),
    secretName: names.secretName === `${name}-tls` ? undefined : names.secretName,
    mountPath: names.mountPath === '/var/run/serving-cert' ? undefined : names.mountPath,
  });
  return { registration: parseRegistration(configuration, 'apisvc.yaml'), configuration };
}

/** The Secret of others keeps its content, so the certificate gets a name that is free, or ours. */
async function freeSecretName({ cluster, signal }: Asking, { backend }: Registered, project: string): Promise<string> {
  const { namespace, name: service } = backend;
  for (const name of ownSecrets(service)) {
    const found = await getObject(cluster, { resource: resources.Secret, namespace, name }, signal);
    if (!found || found.metadata.annotations?.[projectAnnotation] === project) return name;
  }
  throw new RefusedError(
    `Secrets ${ownSecrets(service).join(' and ')} already exist in namespace ${namespace}, but were not created by this project`,
    {
      fix: [
        'If one of these Secrets is no longer needed, delete it, and run the same command again.',
        'Or create the project as docs/registering.md describes, and set spec.certificates.secretName to another name.',
      ].join('\n'),
    },
  );
}

/** @throws RefusedError where an object belongs to another project */
function refuseOthers(registration: Registration, objects: readonly KubeObject[]): void {
  for (const { kind, metadata } of objects) {
    const project = metadata.annotations?.[projectAnnotation];
    if (project === undefined || project === projectOf(registration)) continue;
    throw new RefusedError(`${kind} ${metadata.name} belongs to the project ${project}`, {
      fix: 'Register the API again from the directory of that project: apisvc register -C DIR',
    });
  }
}

/** The new certificate would break an API that verifies the present one. */
function refuseVerified(registration: Registration, apiServices: readonly KubeObject[]): void {
  const names = apiServiceNames(registration);
  const other = apiServices.find(({ metadata }) => !names.includes(metadata.name));
  if (!other) return;
  throw new RefusedError(`apiservice/${other.metadata.name} verifies the certificate of the same Service, and would not accept a new one`, {
    fix: 'Give the other APIServices of the Service the same caBundle.',
  });
}

/** @throws RefusedError with every pod and endpoint that serves another certificate */
export async function requireServed(
  { cluster, signal }: Asking,
  registration: Registration,
  issued: Issued,
  leaf: string | undefined,
): Promise<void> {
  const { name: service, port } = registration.spec.service;
  const { namespace } = registration.metadata;
  const roots = issued.anchors.flatMap(({ pem }) => inspect(pem).certificates);
  const { probes, waiting } = await servedByAll(collectContext(cluster, signal), {
    namespace,
    service,
    port,
    roots,
    ...(leaf === undefined ? {} : { leaf }),
  });
  const bad = [...probes.filter(({ evidence }) => evidence !== 'good').map(describeServed), ...waiting];
  if (bad.length === 0 && probes.length > 0) return;
  throw new RefusedError(
    `not every pod serves a certificate for ${serverNameOf({ namespace, name: service })} that the CA verifies: ${bad.join('; ') || 'no pod serves the port of the Service'}; the APIService is unchanged`,
    { fix: 'Run the same command again when all pods are ready.' },
  );
}
