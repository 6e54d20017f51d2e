import { resources } from '../cluster/resources.ts';
import { certificateName } from '../manifests/cert-manager.ts';
import type { KubeObject } from '../manifests/types.ts';
import { conditionsOf, isReady, newestRequestOf, refusalIn, revisionOf } from '../snapshot/cert-manager-view.ts';
import { type Json, listOf } from '../snapshot/views.ts';
import type { Issuer, IssuerContext } from './issuer.ts';

/** cert-manager. It reports in the conditions of the Certificate (cert-manager.io/v1). */
export const certManager: Issuer<'cert-manager'> = {
  correctsSecret: true,
  secretCommand: ({ metadata }) => `kubectl -n ${metadata.namespace} describe certificates,certificaterequests,issuers`,
  async explainMissingSecret(context) {
    // init does not need a connection to the cluster.
    const { getObject } = await import('../cluster/objects.ts');
    const { cluster, registration, signal } = context;
    const { namespace } = registration.metadata;
    const ref = { resource: resources.Certificate, namespace, name: certificateName(registration) };
    const found = await getObject(cluster, ref, signal);
    const words = found && (await notReady(found, context));
    return words === undefined ? undefined : `Certificate ${namespace}/${ref.name} is not ready: ${words}`;
  },
};

/** Why a Certificate is not ready: the request in progress says more than the Certificate. */
async function notReady(certificate: KubeObject, context: IssuerContext): Promise<string | undefined> {
  const conditions = conditionsOf(certificate);
  if (isReady(conditions) && isUpToDate(certificate)) return undefined;
  const request = await newestRequest(certificate, context);
  const why = request && refusalIn(conditionsOf(request));
  if (why) return `CertificateRequest ${request.metadata.name}: ${why.message}`;
  const own = refusalIn(conditions)?.message;
  return (
    own ??
    (isReady(conditions)
      ? 'cert-manager has not processed its latest change yet'
      : 'no Ready condition yet; cert-manager may not be running')
  );
}

/** Whether Ready is about what `register` applied. */
const isUpToDate = ({ metadata, status }: KubeObject & Json): boolean =>
  listOf(status?.conditions).some(
    ({ type, observedGeneration }) =>
      type === 'Ready' && (observedGeneration === undefined || observedGeneration >= Number(metadata.generation ?? 0)),
  );

/** The CertificateRequest in progress; undefined also where the user may not see it. */
async function newestRequest(
  { metadata, status }: KubeObject & Json,
  { cluster, registration, signal }: IssuerContext,
): Promise<KubeObject | undefined> {
  const [{ listObjects }, { wasRefused }] = await Promise.all([import('../cluster/objects.ts'), import('../cluster/faults.ts')]);
  const place = { resource: resources.CertificateRequest, namespace: registration.metadata.namespace };
  const all = await listObjects(cluster, place, signal).catch((error) => {
    if (wasRefused(error)) return [];
    throw error;
  });
  const request = newestRequestOf(metadata.name, all);
  return request && revisionOf(request) > Number(status?.revision ?? 0) ? request : undefined;
}
