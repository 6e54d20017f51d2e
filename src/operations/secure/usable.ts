import { getObject, refOf } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import { projectAnnotation } from '../../manifests/labels.ts';
import { secretEntry } from '../../manifests/secret.ts';
import { inspect } from '../../pki/inspect.ts';
import type { CertificateInfo, Issued } from '../../pki/types.ts';
import { collectContext } from '../../snapshot/collect/context.ts';
import { viewPod } from '../../snapshot/pod-view.ts';
import { requireAccess } from '../permissions.ts';
import { type Served, servedByAll } from '../served.ts';
import { failOnPersistentErrors } from '../steps/rollout.ts';
import { podCommands, poll, untilFirst, type Waiting, waitFor } from '../wait.ts';
import type { Backend, RunningServer } from './find.ts';
import { lookNeeds, mountedSecrets } from './needs.ts';

/** A Secret of the server, with the certificate that the server presents. */
export interface Usable {
  readonly secret: string;
  readonly issued: Issued;
}

/**
 * Finds a Secret of the server whose `ca.crt` verifies what every pod serves. Waits for pods that
 * are starting. The Secret of apisvc does not count: its project must be on disk.
 * @throws ClusterError without the permission for port-forward; as `awaitServed`
 */
export async function findUsable(waiting: Waiting, backend: Backend, server: RunningServer): Promise<Usable | undefined> {
  const { cluster, signal } = waiting;
  const { namespace } = backend;
  // An earlier run has begun to change the server.
  if (server.deployments.some(({ metadata }) => metadata.annotations?.[projectAnnotation] !== undefined)) return undefined;
  for (const name of mountedSecrets(server)) {
    const secret = await getObject(cluster, { resource: resources.Secret, namespace, name }, signal);
    if (!secret || secret.metadata.annotations?.[projectAnnotation] !== undefined) continue;
    const roots = inspect(secretEntry(secret, 'ca.crt')).certificates;
    if (roots.length === 0) continue;
    // Without the permission, no certificate would be seen, and the server would be changed.
    await requireAccess(cluster, lookNeeds(namespace), [], signal);
    const { probes, waiting: unseen } = await awaitServed(waiting, backend, server, roots);
    const good = probes.filter(({ evidence }) => evidence === 'good');
    if (good.length === 0 || good.length < probes.length || unseen.length > 0) continue;
    const [chain = ''] = good.map(({ handshake }) =>
      handshake.kind === 'served' ? handshake.certificates.map(({ pem }) => pem).join('') : '',
    );
    return { secret: name, issued: { chain, anchors: roots.map(({ pem }) => ({ pem, role: 'current' })) } };
  }
  return undefined;
}

/**
 * In milliseconds. For a moment, a pod whose container has just ended is still ready in the answers
 * of kube-apiserver.
 */
const endingMs = 10_000;

/**
 * Looks at all pods until none is starting. A ready pod that does not answer may be ending, so it
 * is looked at again for some time.
 * @throws RefusedError for a pod that cannot start; DeadlineError
 */
async function awaitServed(
  waiting: Waiting,
  { namespace, name: service, port }: Backend,
  { deployments }: RunningServer,
  roots: readonly CertificateInfo[],
): Promise<Served> {
  const look = (signal: AbortSignal) => servedByAll(collectContext(waiting.cluster, signal), { namespace, service, port, roots });
  let served = await look(waiting.signal);
  if (unseenPods(served).length === 0) return served;
  const untilMs = performance.now() + endingMs;
  await waitFor(`the pods of Service ${namespace}/${service} to start`, podCommands(namespace), waiting, async (report) => {
    const start = ({ signal }: Waiting) =>
      poll({ signal, report }, async () => {
        served = await look(signal);
        const unseen = performance.now() < untilMs ? unseenPods(served) : startingPods(served);
        if (unseen.length === 0) return true;
        report(unseen.join('; '));
        return undefined;
      });
    await untilFirst<unknown>(waiting, (watching) => [
      start(watching),
      ...deployments.map((each) => failOnPersistentErrors(watching, refOf(each), () => {})),
    ]);
  });
  return served;
}

/** The pods whose certificate was not seen, in words. */
const unseenPods = (served: Served): readonly string[] => [
  ...startingSoon(served),
  ...served.probes.flatMap(({ at, handshake }) => (handshake.kind === 'failed' ? [`${at}: ${handshake.words}`] : [])),
];

/** The pods without an address. With the strategy Recreate, there is no pod at all for a moment. */
const startingSoon = ({ pods, probes, waiting }: Served): readonly string[] =>
  pods.length + probes.length === 0 ? ['no pod is running'] : waiting;

/** Of these, the ones that have not started. */
function startingPods(served: Served): readonly string[] {
  const { pods, probes } = served;
  const isUnready = (name: string | undefined): boolean => pods.some((pod) => pod.metadata.name === name && !viewPod(pod).ready);
  const silent = probes.filter(({ pod, handshake }) => handshake.kind === 'failed' && isUnready(pod));
  return [...startingSoon(served), ...silent.map(({ pod }) => `pod ${pod} is not ready`)];
}
