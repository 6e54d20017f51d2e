import { getObject } from '../../cluster/objects.ts';
import { type ObjectRef, resources } from '../../cluster/resources.ts';
import { RefusedError } from '../../errors.ts';
import { restartAnnotation } from '../../manifests/labels.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { type Json, listOf } from '../../snapshot/views.ts';
import { secretRef } from '../rotation/live.ts';
import type { Look } from '../rotation/look.ts';
import { mergePatch } from '../rotation/merge-patch.ts';
import { restartReason, whyFixed } from '../rotation/restart-reason.ts';
import { type Rotation, wayBack } from '../rotation/rotation.ts';
import { reloadMs } from '../served.ts';
import { poll } from '../wait.ts';
import { waitForRollout } from './rollout.ts';

/** Restarts the pods that do not reload their certificate, at most once for each certificate. */
export interface Restarts {
  /**
   * Restarts what needs it.
   * @param elapsedMs how long pods have served another certificate
   * @throws RefusedError when a restart failed, or did not help
   */
  consider(look: Pick<Look, 'others' | 'pods'>, elapsedMs: number): Promise<void>;
  /** Restarts the Deployments of all pods. */
  restartAll(pods: readonly KubeObject[]): Promise<void>;
  /** Whether a rollout goes on. @throws RefusedError when it failed */
  isRollingOut(): boolean;
}

interface Restarted {
  /** When the rollout ended. */
  endedMs?: number;
}

export function restarts(rotation: Rotation): Restarts {
  const { cluster, signal, restart: mode, to, onProgress } = rotation;
  const owners = new Map<string, string | undefined>();
  const restarted = new Map<string, Restarted>();
  const noted = new Set<string>();
  let failure: unknown;
  const note = (what: string): void => {
    if (!noted.has(what)) onProgress({ kind: 'note', what });
    noted.add(what);
  };
  const refOf = (name: string): ObjectRef => ({ resource: resources.Deployment, namespace: secretRef(rotation).namespace, name });

  const deploymentOf = async ({ metadata }: KubeObject & Json): Promise<string | undefined> => {
    const set = listOf(metadata.ownerReferences).find(({ kind }) => kind === 'ReplicaSet')?.name;
    if (set === undefined) return undefined;
    if (!owners.has(set)) {
      const found: Json = await getObject(cluster, { resource: resources.ReplicaSet, namespace: metadata.namespace, name: set }, signal);
      owners.set(set, listOf(found?.metadata.ownerReferences).find(({ kind }) => kind === 'Deployment')?.name);
    }
    return owners.get(set);
  };

  const restartDeployment = async (name: string, why: string): Promise<void> => {
    const ref = refOf(name);
    const found: Json = await getObject(cluster, ref, signal);
    if (found?.spec?.template?.metadata?.annotations?.[restartAnnotation] !== to.leaf) {
      note(`restarting the pods of Deployment ${ref.namespace}/${name}: ${why}`);
      const change = { spec: { template: { metadata: { annotations: { [restartAnnotation]: to.leaf } } } } };
      // Without the Deployment, its pods are about to end.
      if (!(await mergePatch(rotation, ref, change))) return;
    }
    const entry: Restarted = {};
    restarted.set(name, entry);
    // kube-apiserver may restart meanwhile: the rollout goes on.
    poll({ signal }, async () => (await waitForRollout(rotation, ref)) ?? true).then(
      () => {
        entry.endedMs = performance.now();
      },
      (error) => {
        failure = error;
      },
    );
  };

  const considerPod = async (pod: KubeObject, elapsedMs: number): Promise<void> => {
    const fixed = whyFixed(pod, secretRef(rotation).name);
    const why = restartReason({ mode, fixed, elapsedMs });
    if (why === undefined) return;
    const { name, namespace } = pod.metadata;
    const deployment = await deploymentOf(pod);
    const before = deployment === undefined ? undefined : restarted.get(deployment);
    if (before) {
      if (before.endedMs !== undefined && performance.now() - before.endedMs > reloadMs) throw notUsed(rotation, name);
    } else if (deployment === undefined) {
      note(`restart pod ${name}, which does not belong to a Deployment: ${why}`);
    } else if (mode === 'never') {
      note(`pod ${name} needs a restart, because ${why}: kubectl -n ${namespace} rollout restart deployment/${deployment}`);
    } else await restartDeployment(deployment, `pod ${name}: ${why}`);
  };

  return {
    async consider({ others, pods }, elapsedMs) {
      const names = new Set(others.map(({ pod }) => pod));
      for (const pod of pods) if (names.has(pod.metadata.name)) await considerPod(pod, elapsedMs);
    },
    async restartAll(pods) {
      const names = new Set(await Promise.all(pods.map(deploymentOf)));
      for (const name of names) if (name !== undefined) await restartDeployment(name, '--restart=always');
    },
    isRollingOut() {
      if (failure !== undefined) throw failure;
      return [...restarted.values()].some(({ endedMs }) => endedMs === undefined);
    },
  };
}

const notUsed = (rotation: Rotation, pod: string): RefusedError => {
  const { namespace, name } = secretRef(rotation);
  return new RefusedError(`pod ${pod} still serves a different certificate than the one in Secret ${namespace}/${name} after a restart`, {
    fix: ['Check the certificate flags and the volumes of the server.', ...wayBack(rotation)].join('\n'),
  });
};
