import { getObject, refOf } from '../../cluster/objects.ts';
import type { KubeObject } from '../../manifests/types.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { viewApiService } from '../../snapshot/views.ts';
import { untrusted, widened, withBundle } from '../rotation/bundles.ts';
import type { Step } from '../runner.ts';
import type { Waiting } from '../wait.ts';
import type { BeforeWrite } from '../write-lock.ts';
import { applyStep } from './apply.ts';

interface Trusting {
  readonly apiServices: readonly KubeObject[];
  /** The CAs that verify the Secret of others; empty while it does not exist. */
  readonly anchors: () => Promise<readonly CertificateInfo[]>;
  readonly forceConflicts: boolean;
  readonly beforeWrite: BeforeWrite | undefined;
}

/**
 * Adds the CA of a Secret that others have replaced to the caBundles, as the first step: servers
 * may serve by it at any moment. The CA that was trusted before stays until every endpoint serves
 * by the new one.
 */
export function trustOthersStep(waiting: Waiting, { apiServices, anchors, forceConflicts, beforeWrite }: Trusting): Step {
  const { cluster, signal, onProgress } = waiting;
  const complete = async (): Promise<readonly KubeObject[]> => {
    const wanted = await anchors();
    const changes = await Promise.all(
      apiServices.map(async (object): Promise<readonly KubeObject[]> => {
        const found = await getObject(cluster, refOf(object), signal);
        const view = found && viewApiService(found);
        if (!view?.caBundle || untrusted(view, wanted).length === 0) return [];
        return [withBundle(object, widened(view, { from: [], to: wanted }))];
      }),
    );
    return changes.flat();
  };
  const apply = applyStep(waiting, { id: 'trust-others', title: '', objects: apiServices, complete, forceConflicts, beforeWrite });
  return {
    id: apply.id,
    needs: apply.needs,
    observe: apply.observe,
    async run() {
      onProgress({ kind: 'step', what: 'Trusting both CAs' });
      await apply.run();
    },
  };
}
