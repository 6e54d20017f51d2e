import { getObject } from '../cluster/objects.ts';
import { resources } from '../cluster/resources.ts';
import { rotateAside } from '../config/project-commands.ts';
import { apiServiceNames, serverNameOf } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import { RefusedError } from '../errors.ts';
import { projectAnnotation, projectOf } from '../manifests/labels.ts';
import { projectFiles } from '../project/project.ts';
import { trustedBy } from '../snapshot/ca-bundle.ts';
import { viewApiService } from '../snapshot/views.ts';
import { type CopyCheck, describeIssued } from './outdated.ts';
import { accepts } from './rotation/bundles.ts';
import { leafOf, secretRef } from './rotation/live.ts';
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
  for (const name of apiServiceNames(registration)) {
    const found = await getObject(cluster, { resource: resources.APIService, namespace: undefined, name }, signal);
    const view = found && viewApiService(found);
    if (!view?.caBundle || view.service?.namespace !== namespace || view.service.name !== registration.spec.service.name) continue;
    if (accepts(view, { presented }, hostname, now) || !(await isServed(cluster, view, signal))) continue;
    const lines = [
      `APIService ${name} works, but its caBundle does not verify the certificate of the project:`,
      ...trustedBy(view).map((root) => `  the caBundle of the APIService: ${describeIssued(root)}`),
      ...anchors.map((root) => `  ${projectFiles(dir).caCertificate}: ${describeIssued(root)}`),
      'requests would fail from the moment that a pod serves this certificate until the caBundle is replaced',
    ];
    return new RefusedError(lines.join('\n'), { fix: wayOut(dir, registration, name) });
  }
  return undefined;
}

function wayOut(dir: string, { spec }: Registration, apiService: string): string {
  return [
    'Move certs/ of this copy aside, and create new keys and a new CA while the API keeps serving:',
    `  ${rotateAside({ directory: dir, issuer: spec.certificates.issuer.type })}`,
    'Or delete the APIService, and register the project. The API is unavailable in between:',
    `  kubectl delete apiservice ${apiService} && apisvc register`,
  ].join('\n');
}
