import { getObject } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import { serverNameOf } from '../../config/registration.ts';
import { ClusterError, RefusedError } from '../../errors.ts';
import { projectAnnotation } from '../../manifests/labels.ts';
import { secretEntry } from '../../manifests/secret.ts';
import { distinct } from '../../pki/anchors.ts';
import { inspect } from '../../pki/inspect.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { trustedBy } from '../../snapshot/ca-bundle.ts';
import { collectContext } from '../../snapshot/collect/context.ts';
import { collectSecret } from '../../snapshot/collect/secret.ts';
import { chooseServer } from '../../snapshot/server-view.ts';
import type { Observed, SecretView } from '../../snapshot/types.ts';
import { viewApiService } from '../../snapshot/views.ts';
import { bundleText } from '../rotation/bundles.ts';
import { type Backend, describeBackend, type RunningServer } from '../secure/find.ts';
import { describeServed, type Served, servedByAll } from '../served.ts';
import type { Waiting } from '../wait.ts';
import { caBundleFile, type FoundIssuer, named, type Running } from './found.ts';

type Asking = Pick<Waiting, 'cluster' | 'signal'>;

/**
 * The Secret that the pods mount, and that has the certificate that all of them serve. The key in
 * it is not kept.
 */
export async function fromSecret(asking: Asking, { backend, apiServices }: Running, running: RunningServer): Promise<FoundIssuer> {
  const { namespace } = backend;
  const view = await findServed(asking, backend, running);
  const ref = `Secret ${namespace}/${view.name}`;
  const entry = view.entries?.certificate ?? 'tls.crt';
  if (entry !== 'tls.crt')
    throw new RefusedError(`${ref} has the serving certificate in ${entry}; an apisvc project requires it in tls.crt`);
  const secret = await getObject(asking.cluster, { resource: resources.Secret, namespace, name: view.name }, asking.signal);
  if (!secret) throw new RefusedError(`${ref} not found`);
  const project = secret.metadata.annotations?.[projectAnnotation];
  if (project !== undefined)
    throw new RefusedError(`${ref} belongs to the apisvc project ${project}`, {
      fix: 'Run apisvc in the directory of that project.',
    });
  const ofSecret = inspect(secretEntry(secret, 'ca.crt')).certificates;
  const trusted = distinct(apiServices.map(viewApiService).flatMap(trustedBy));
  if (trusted.length === 0 && ofSecret.length === 0)
    throw new RefusedError(`cannot tell which CA signs the certificate in ${ref}: it has no ca.crt, and the APIServices have no caBundle`, {
      fix: 'Add the CA certificate to the Secret as ca.crt, and run this command again.',
    });
  const isDefault = trusted.length === 0 || fingerprints(trusted) === fingerprints(distinct(ofSecret));
  return {
    certificates: {
      issuer: { type: 'existing-secret', ...(isDefault ? {} : { caBundleFile }) },
      secretName: named(backend, view.name),
    },
    ...(isDefault ? {} : { caBundle: bundleText(trusted) }),
  };
}

/** @throws RefusedError where it is not the certificate that every pod serves */
async function findServed({ cluster, signal }: Asking, backend: Backend, { pods, targetPort }: RunningServer): Promise<SecretView> {
  const { namespace, name: service, port } = backend;
  const context = collectContext(cluster, signal);
  const served = await servedByAll(context, { namespace, service, port, roots: [] });
  const chosen = chooseServer(pods);
  const probing = Promise.resolve({ probes: { state: 'seen', value: served.probes } as const });
  const found: Observed<SecretView> = chosen
    ? await collectSecret(context, { chosen, pods, targetPort, host: serverNameOf({ namespace, name: service }), probing })
    : { state: 'absent' };
  const untold = `cannot tell which Secret has the serving certificate of ${describeBackend(backend)}`;
  if (found.state !== 'seen') {
    const words = found.state === 'absent' ? 'the Secret that the pods mount does not exist' : found.words;
    if (found.state === 'unseen' && found.reason === 'forbidden') throw new ClusterError(`${untold}: ${words}`);
    throw new RefusedError(`${untold}: ${words}`);
  }
  const [leaf] = found.value.certificates;
  const differing = notServing(served, leaf);
  if (leaf && differing.length === 0) return found.value;
  throw new RefusedError(
    `${untold}: the pods mount Secret ${found.value.name}, but do not serve its certificate: ${differing.join('; ')}`,
    {
      fix: 'Run the same command again when all pods are ready and serve the same certificate.',
    },
  );
}

function notServing({ probes, waiting }: Served, leaf: CertificateInfo | undefined): readonly string[] {
  if (probes.length === 0) return ['no pod serves the port of the Service', ...waiting];
  const others = probes.filter(
    ({ handshake }) => handshake.kind !== 'served' || handshake.certificates[0]?.fingerprint !== leaf?.fingerprint,
  );
  return [...others.map(describeServed), ...waiting];
}

const fingerprints = (certificates: readonly CertificateInfo[]): string =>
  certificates
    .map(({ fingerprint }) => fingerprint)
    .sort()
    .join();
