import { resources } from '../cluster/resources.ts';
import { certificateName } from '../manifests/cert-manager.ts';
import type { KubeObject } from '../manifests/types.ts';
import { type Json, listOf, textOf } from '../snapshot/views.ts';
import type { Issuer } from './issuer.ts';

/** cert-manager. It reports in the conditions of the Certificate (cert-manager.io/v1). */
export const certManager: Issuer<'cert-manager'> = {
  async explainMissingSecret({ cluster, registration, signal }) {
    // init does not need a connection to the cluster.
    const { getObject } = await import('../cluster/objects.ts');
    const { namespace } = registration.metadata;
    const ref = { resource: resources.Certificate, namespace, name: certificateName(registration) };
    const found = await getObject(cluster, ref, signal);
    const words = found && notReady(found);
    return words === undefined ? undefined : `Certificate ${namespace}/${ref.name} is not ready: ${words}`;
  },
};

/** The message of the condition Ready, unless it is True. */
function notReady(certificate: KubeObject): string | undefined {
  const ready = listOf((certificate.status as Json)?.conditions).find(({ type }) => type === 'Ready');
  if (!ready) return 'no condition Ready yet; cert-manager may not be running';
  return ready.status === 'True' ? undefined : textOf(ready.message);
}
