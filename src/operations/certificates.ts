import { getObject, listObjects, slicesOf } from '../cluster/objects.ts';
import { resources } from '../cluster/resources.ts';
import { serverNameOf } from '../config/registration.ts';
import { RefusedError } from '../errors.ts';
import { inspect } from '../pki/inspect.ts';
import { probeEndpoints } from '../snapshot/collect/probe.ts';
import { type ApiServerSays, type JudgedProbe, judgeEndpoints } from '../snapshot/endpoint-evidence.ts';
import { dialTargets, type Target } from '../snapshot/targets.ts';
import { viewEndpoints, viewService } from '../snapshot/views.ts';
import { podCommands, poll, type Waiting, waitFor } from './wait.ts';

/** What every endpoint of a Service must serve. */
export interface ExpectedCertificate {
  readonly namespace: string;
  readonly service: string;
  /** Port of the Service. */
  readonly port: number;
  readonly caBundle: string;
  /** SHA-256 of the serving certificate, where the server can have no other than that of the Secret; otherwise any that the caBundle accepts will do. */
  readonly leaf?: string;
  /** Name of the Deployment of the pods, where it is known. */
  readonly deployment: string | undefined;
}

/** Whoever waits for certificates has waited for endpoints before, so that the cluster has answered. */
const polling = { firstMs: 100, longestMs: 2_000, answered: true };

/** kubelet brings a new Secret to its pods within 60 to 90 seconds (syncFrequency, and half of it as jitter: pkg/kubelet/pod_workers.go); then servers read it within moments, or never. */
const reloadMs = 100_000;
/** A server that became ready without a probe may need so long until it listens. One that localhost in the pod refuses for longer may be bound to the pod's address. */
const listenMs = 10_000;

/**
 * Waits until every ready endpoint, and of a Deployment as many as it has replicas, serves a certificate that kube-apiserver will accept with this
 * caBundle. There is nothing to watch on sockets, so they are asked again and again, ever more slowly.
 * @returns the endpoints that can't be reached from here, which are not waited for: kube-apiserver may have a way to them that we have not
 * @throws RefusedError when a pod keeps another certificate for longer than it takes to bring it the new one; DeadlineError with what was seen last
 */
export async function waitForCertificates(waiting: Waiting, expected: ExpectedCertificate): Promise<readonly string[]> {
  const host = serverNameOf({ namespace: expected.namespace, name: expected.service });
  const start = performance.now();
  let unseen: readonly string[] = [];
  const certificate = expected.leaf
    ? `the certificate for ${host} with SHA-256 ${expected.leaf}`
    : `a certificate for ${host} that the caBundle trusts`;
  await waitFor(`every endpoint to serve ${certificate}`, podCommands(expected.namespace), waiting, async (saw) => {
    unseen = await poll({ ...polling, signal: waiting.signal }, async () => {
      const { targets, missing } = await readyTargets(waiting, expected);
      const probes = await look(waiting, expected, targets);
      const elapsedMs = performance.now() - start;
      const isUnseen = ({ evidence }: JudgedProbe): boolean => evidence === 'unknown' || (evidence === 'doubtful' && elapsedMs >= listenMs);
      const bad = probes.filter((probe) => probe.evidence !== 'good' && !isUnseen(probe));
      if (bad.length === 0 && missing === undefined) return probes.filter(isUnseen).map(describe);
      saw([...bad.map(describe), ...(missing ?? [])].join('; '));
      const kept = bad.filter(({ evidence, pod }) => evidence === 'wrong' && pod !== undefined);
      if (kept.length > 0 && elapsedMs > reloadMs) throw keepsCertificate(expected, kept);
      return undefined;
    });
  });
  return unseen;
}

interface Targets {
  readonly targets: readonly Target[];
  /** What is not there yet, in words. */
  readonly missing?: readonly string[];
}

/** EndpointSlices lag behind a roll-out, so a Deployment that has rolled out may have ready pods that they do not have yet. */
async function readyTargets(waiting: Waiting, { namespace, service, port, deployment }: ExpectedCertificate): Promise<Targets> {
  const { cluster, signal } = waiting;
  const [object, slices, owner] = await Promise.all([
    getObject(cluster, { resource: resources.Service, namespace, name: service }, signal),
    listObjects(cluster, slicesOf({ namespace, name: service }), signal),
    deployment === undefined ? undefined : getObject(cluster, { resource: resources.Deployment, namespace, name: deployment }, signal),
  ]);
  const targets = object ? dialTargets(viewService(object), slices.flatMap(viewEndpoints), port) : [];
  if (targets.length === 0) return { targets, missing: [`no endpoint is ready for port ${port} of the Service`] };
  // With two address families a pod has two addresses.
  const pods = new Set(targets.flatMap(({ pod }) => pod ?? [])).size;
  const wanted = owner ? replicasOf(owner) : 0;
  return pods < wanted ? { targets, missing: [`${pods} of ${wanted} pods are endpoints of the Service`] } : { targets };
}

// biome-ignore lint/suspicious/noExplicitAny: a Deployment as the server sends it.
export const replicasOf = ({ spec }: any): number => spec?.replicas ?? 1;

/** Nothing is asked of kube-apiserver here: what it says of the server may be true of its certificate before. */
const says: ApiServerSays = { api: 'unknown', faults: [] };

async function look(
  { cluster, signal }: Waiting,
  expected: ExpectedCertificate,
  targets: readonly Target[],
): Promise<readonly JudgedProbe[]> {
  const { namespace, service: name, caBundle, leaf } = expected;
  const hostname = serverNameOf({ namespace, name });
  const probes = await probeEndpoints(cluster, { namespace, name }, targets, signal);
  return judgeEndpoints(probes, { roots: inspect(caBundle).certificates, hostname, now: new Date(), ...(leaf ? { leaf } : {}) }, says);
}

/** `10.0.0.1:443 (pod x): connection refused`. */
function describe({ at, handshake }: JudgedProbe): string {
  if (handshake.kind === 'failed') return `${at}: ${handshake.words}`;
  const [leaf] = handshake.certificates;
  const name = leaf && (leaf.subject || leaf.dnsNames.join(', '));
  return leaf ? `${at}: serves ${name} (SHA-256 ${leaf.fingerprint}), signed by ${leaf.issuer}` : `${at}: serves no certificate`;
}

function keepsCertificate({ namespace, service, deployment }: ExpectedCertificate, kept: readonly JudgedProbe[]): RefusedError {
  const restart = deployment
    ? `kubectl -n ${namespace} rollout restart deployment/${deployment}`
    : `restart the pods of Service ${namespace}/${service}`;
  return new RefusedError(`after ${reloadMs / 1000}s a pod still serves another certificate: ${kept.map(describe).join('; ')}`, {
    fix: `If its server does not load a new certificate by itself: ${restart}. If it never had ours, check the flags for its certificate. Then run the same command again.`,
  });
}
