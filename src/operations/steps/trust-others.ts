import { getObject, refOf } from '../../cluster/objects.ts';
import type { KubeObject } from '../../manifests/types.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { type Json, listOf, viewApiService } from '../../snapshot/views.ts';
import { trustsOnly, untrusted, widened, withBundle } from '../rotation/bundles.ts';
import type { Step } from '../runner.ts';
import type { Waiting } from '../wait.ts';
import type { BeforeWrite } from '../write-lock.ts';
import { applyStep } from './apply.ts';
import { uptakeStep } from './uptake.ts';

interface Trusting {
  readonly apiServices: readonly KubeObject[];
  /** The CAs that verify the Secret of others; empty while it does not exist. */
  readonly anchors: () => Promise<readonly CertificateInfo[]>;
  readonly forceConflicts: boolean;
  readonly beforeWrite: BeforeWrite | undefined;
}

interface Delivery extends Pick<Trusting, 'apiServices' | 'anchors'> {
  /** The Deployment of the server, as it is going to be applied. */
  readonly deployment: KubeObject | undefined;
  readonly secretName: string;
}

/**
 * Waits until every kube-apiserver trusts a CA that was added to the caBundles, before the pods get
 * another Secret. Where they mount it already, they may serve its certificate at any moment, and
 * waiting helps nothing.
 */
export function othersUptakeStep(waiting: Waiting, { apiServices, anchors, deployment, secretName }: Delivery): Step {
  const { cluster, signal } = waiting;
  const isDelivered = async (): Promise<boolean> => {
    const running = deployment && (await getObject(cluster, refOf(deployment), signal));
    if (!running || mountsSecret(running, secretName)) return true;
    const wanted = await anchors();
    const found = await Promise.all(apiServices.map((object) => getObject(cluster, refOf(object), signal)));
    const present = found.flatMap((object) => (object ? viewApiService(object) : []));
    return wanted.length === 0 || present.every((view) => !view.caBundle || trustsOnly(view, wanted));
  };
  const { title = '', ...uptake } = uptakeStep(waiting, isDelivered);
  return {
    ...uptake,
    needs: () => (deployment ? [{ verb: 'get', ref: refOf(deployment) }] : []),
    async run() {
      waiting.onProgress({ kind: 'step', what: title });
      await uptake.run();
    },
  };
}

/** Whether the pods of a Deployment mount a Secret as apisvc mounts it. */
const mountsSecret = ({ spec }: KubeObject & Json, name: string): boolean =>
  listOf(spec?.template?.spec?.volumes).some(({ secret }) => secret?.secretName === name);

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
