import { getObject, listObjects, refOf } from '../cluster/objects.ts';
import { resources } from '../cluster/resources.ts';
import { RefusedError } from '../errors.ts';
import type { KubeObject } from '../manifests/types.ts';
import { observeOrThrow } from '../snapshot/collect/observe.ts';
import { listPods } from '../snapshot/collect/pods.ts';
import { type Json, viewService } from '../snapshot/views.ts';
import { type Rotation, serviceOf } from './rotation/rotation.ts';
import { withoutChanges } from './runner.ts';
import { failOnRefusedPods, replicasOf, rolloutState, scaleUp } from './steps/rollout.ts';
import { podCommands, poll, untilFirst, type Waiting, waitFor } from './wait.ts';

type Asking = Pick<Waiting, 'cluster' | 'signal'>;

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

/** The pods of a Service that have not ended, and are not being deleted. */
async function listRunning({ cluster, signal }: Asking, { namespace, selector }: Omit<Selecting, 'name'>): Promise<readonly KubeObject[]> {
  const pods = await listPods(cluster, { namespace, selector: { matchLabels: selector } }, signal);
  return pods.filter(
    ({ metadata, status }: KubeObject & Json) => !metadata.deletionTimestamp && !/^(Succeeded|Failed)$/.test(status?.phase),
  );
}

/** The Deployments whose pods a Service selects. */
async function listDeployments({ cluster, signal }: Asking, { namespace, selector }: Omit<Selecting, 'name'>) {
  const all = await listObjects(cluster, { resource: resources.Deployment, namespace }, signal);
  return all.filter(({ spec }: KubeObject & Json) =>
    Object.entries(selector).every(([key, value]) => spec?.template?.metadata?.labels?.[key] === value),
  );
}

/** @throws RefusedError where no Deployment has pods for the Service */
async function findStarting(waiting: Waiting, { namespace, name, selector }: Selecting): Promise<KubeObject> {
  const own = await listDeployments(waiting, { namespace, selector });
  const starting = own.find((each) => replicasOf(each) > 0);
  if (starting) return starting;
  const [stopped] = own;
  throw new RefusedError(`Service ${namespace}/${name} selects no running pod`, {
    fix: stopped
      ? `Start the server first: kubectl -n ${namespace} scale deployment/${stopped.metadata.name} --replicas=1`
      : 'Start the server first.',
  });
}

/**
 * Checks that something can serve the new certificate: without pods, a rotation does not end.
 * Without the permission to list Deployments, which `--restart never` does not need, it is not
 * known.
 * @throws RefusedError where every Deployment of the Service is scaled to 0
 */
export async function requireReplicas(where: Asking & Pick<Rotation, 'registration'>): Promise<void> {
  const { cluster, signal } = where;
  const { namespace, name } = serviceOf(where);
  const service = await getObject(cluster, { resource: resources.Service, namespace, name }, signal);
  const { selector } = service ? viewService(service) : { selector: {} };
  if (Object.keys(selector).length === 0 || (await listRunning(where, { namespace, selector })).length > 0) return;
  const found = await observeOrThrow(
    signal,
    () => listDeployments(where, { namespace, selector }),
    (own) => own,
  );
  const [stopped, ...others] = found.state === 'seen' ? found.value : [];
  if (!stopped || [stopped, ...others].some((each) => replicasOf(each) > 0)) return;
  const ref = { namespace, name: stopped.metadata.name };
  const refused = `Deployment ${namespace}/${ref.name} is scaled to 0, so nothing would serve the certificate`;
  throw withoutChanges(new RefusedError(refused, { fix: scaleUp(ref) }));
}
