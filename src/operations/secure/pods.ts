import { listObjects, refOf } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import { RefusedError } from '../../errors.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { listPods } from '../../snapshot/collect/pods.ts';
import type { Json } from '../../snapshot/views.ts';
import { failOnRefusedPods, replicasOf, rolloutState } from '../steps/rollout.ts';
import { podCommands, poll, untilFirst, type Waiting, waitFor } from '../wait.ts';

/** A Service that selects pods. */
interface Selecting {
  readonly namespace: string;
  readonly name: string;
  readonly selector: Readonly<Record<string, string>>;
}

/**
 * Finds the pods of a Service that have not ended. With the strategy Recreate there are none
 * between the old pods and the new ones: they are waited for.
 * @throws RefusedError where nothing starts a pod, or where the cluster refuses the pods
 */
export async function findPods(waiting: Waiting, service: Selecting): Promise<readonly KubeObject[]> {
  const found = await listRunning(waiting, service);
  if (found.length > 0) return found;
  const deployment = await findStarting(waiting, service);
  const what = `a pod of Service ${service.namespace}/${service.name} to start`;
  let pods: readonly KubeObject[] = [];
  await waitFor(what, podCommands(service.namespace), waiting, async (report) => {
    const start = (watching: Waiting) =>
      poll({ signal: watching.signal, report }, async () => {
        pods = await listRunning(watching, service);
        if (pods.length > 0) return true;
        report(`Deployment ${service.namespace}/${deployment.metadata.name}: ${rolloutState(await findStarting(watching, service)).text}`);
        return undefined;
      });
    await untilFirst<unknown>(waiting, (watching) => [start(watching), failOnRefusedPods(watching, refOf(deployment))]);
  });
  return pods;
}

async function listRunning({ cluster, signal }: Waiting, { namespace, selector }: Selecting): Promise<readonly KubeObject[]> {
  const pods = await listPods(cluster, { namespace, selector: { matchLabels: selector } }, signal);
  return pods.filter(
    ({ metadata, status }: KubeObject & Json) => !metadata.deletionTimestamp && !/^(Succeeded|Failed)$/.test(status?.phase),
  );
}

/** @throws RefusedError where no Deployment has pods for the Service */
async function findStarting({ cluster, signal }: Waiting, { namespace, name, selector }: Selecting): Promise<KubeObject> {
  const all = await listObjects(cluster, { resource: resources.Deployment, namespace }, signal);
  const own = all.filter(({ spec }: KubeObject & Json) =>
    Object.entries(selector).every(([key, value]) => spec?.template?.metadata?.labels?.[key] === value),
  );
  const starting = own.find((each) => replicasOf(each) > 0);
  if (starting) return starting;
  const [stopped] = own;
  throw new RefusedError(`Service ${namespace}/${name} selects no running pod`, {
    fix: stopped
      ? `Start the server first: kubectl -n ${namespace} scale deployment/${stopped.metadata.name} --replicas=1`
      : 'Start the server first.',
  });
}
