import { wasRefused } from '../cluster/faults.ts';
import { getObject } from '../cluster/objects.ts';
import { rotateAside } from '../config/project-commands.ts';
import { apiServiceNames, serverNameOf } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import { RefusedError } from '../errors.ts';
import { projectAnnotation, projectOf } from '../manifests/labels.ts';
import type { KubeObject } from '../manifests/types.ts';
import { projectFiles } from '../project/project.ts';
import { trustedBy } from '../snapshot/ca-bundle.ts';
import { viewApiService } from '../snapshot/views.ts';
import { type CopyCheck, describeIssued } from './outdated.ts';
import { accepts } from './rotation/bundles.ts';
import { leafOf, readApiServices, readListedApiServices, secretRef } from './rotation/live.ts';
import { isServed } from './steps/trust.ts';

/**
 * Finds an API that works with its caBundle, which does not trust the certificate of the project:
 * `apisvc init --force-keys` made another CA. The pods follow the Secret at any moment, so that
 * requests would fail until the caBundle is written.
 * @returns the refusal to write the Secret, with the way out
 * @throws ClusterError when the user may not read the Secret or the APIServices
 */
export async function replacedCa({ cluster, registration, signal, dir, ...own }: CopyCheck): Promise<RefusedError | undefined> {
  const { presented, anchors, now } = own;
  const [leaf] = presented;
  if (!leaf || registration.spec.server.external) return undefined;
  const secret = await getObject(cluster, secretRef({ registration }), signal);
  const isOwn = secret?.metadata.annotations?.[projectAnnotation] === projectOf(registration);
  const current = secret && isOwn ? leafOf(secret) : undefined;
  if (!current || current.fingerprint === leaf.fingerprint) return undefined;
  const { namespace } = registration.metadata;
  const hostname = serverNameOf({ namespace, name: registration.spec.service.name });
  for (const view of (await leadingToService({ cluster, registration, signal })).map(viewApiService)) {
    if (!view.caBundle) continue;
    if (accepts(view, { presented }, hostname, now) || !(await isServed(cluster, view, signal))) continue;
    const lines = [
      `APIService ${view.name} works, but its caBundle does not verify the certificate of the project:`,
      ...trustedBy(view).map((root) => `  the caBundle of the APIService: ${describeIssued(root)}`),
      ...anchors.map((root) => `  ${projectFiles(dir).caCertificate}: ${describeIssued(root)}`),
      'requests would fail from the moment that a pod serves this certificate until the caBundle is replaced',
    ];
    return new RefusedError(lines.join('\n'), { fix: wayOut(dir, registration, view.name) });
  }
  return undefined;
}

/**
 * Every APIService that leads to the Service, also of a version that apisvc.yaml no longer lists.
 * Without the permission to list, only those that it lists are found.
 */
async function leadingToService(where: Pick<CopyCheck, 'cluster' | 'registration' | 'signal'>): Promise<readonly KubeObject[]> {
  return readApiServices(where).catch((error) => {
    if (!wasRefused(error)) throw error;
    return readListedApiServices(where);
  });
}

function wayOut(dir: string, registration: Registration, apiService: string): string {
  const isListed = apiServiceNames(registration).includes(apiService);
  return [
    'Move certs/ of this copy aside, and create new keys and a new CA while the API keeps serving:',
    `  ${rotateAside({ directory: dir, issuer: registration.spec.certificates.issuer.type })}`,
    isListed
      ? 'Or delete the APIService, and register the project. The API is unavailable in between:'
      : 'apisvc.yaml does not list this API. If no client needs it, delete its APIService, and register the project:',
    `  kubectl delete apiservice ${apiService} && apisvc register`,
  ].join('\n');
}
