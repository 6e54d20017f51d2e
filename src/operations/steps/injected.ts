import { getObject } from '../../cluster/objects.ts';
import { type ObjectRef, resources } from '../../cluster/resources.ts';
import { apiServiceNames } from '../../config/registration.ts';
import { responsibilitiesOf } from '../../config/responsibilities.ts';
import type { Registration } from '../../config/schema.ts';
import { issuerOf } from '../../issuers/issuers.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { trustedBy } from '../../snapshot/ca-bundle.ts';
import { viewApiService } from '../../snapshot/views.ts';
import type { Step } from '../runner.ts';
import { poll, type Waiting, waitFor } from '../wait.ts';

/** Waits until others have written the caBundle of every APIService. */
export function injectedStep(waiting: Waiting, registration: Registration): Step {
  const { signal } = waiting;
  const names = apiServiceNames(registration);
  const missing = async (): Promise<readonly string[]> => {
    const bundles = await Promise.all(names.map((name) => injectedInto(waiting, name)));
    return names.filter((_, index) => bundles[index]?.length === 0);
  };
  const { caBundle: writer } = responsibilitiesOf(registration);
  const details = 'apisvc verify';
  return {
    id: 'injected',
    title: `Waiting for ${writer} to write the caBundle`,
    needs: () => names.map((name) => ({ verb: 'get', ref: refOf(name) })),
    observe: async () => ({ state: (await missing()).length === 0 ? 'done' : 'pending' }),
    run: () =>
      waitFor(`${writer} to write the caBundle`, details, waiting, async (report) => {
        await poll({ signal, report }, async () => {
          const left = await missing();
          if (left.length === 0) return true;
          const why = await issuerOf(registration).explainMissingBundle?.({ ...waiting, registration });
          report(why ?? `spec.caBundle is empty: ${left.map((name) => `apiservice/${name}`).join(', ')}`);
          return undefined;
        });
      }),
  };
}

const refOf = (name: string): ObjectRef => ({ resource: resources.APIService, namespace: undefined, name });

/** The CAs in the caBundle of an APIService. */
export async function injectedInto({ cluster, signal }: Waiting, name: string): Promise<readonly CertificateInfo[]> {
  const found = await getObject(cluster, refOf(name), signal);
  return found ? trustedBy(viewApiService(found)) : [];
}
