import { getObject } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import { serverNameOf } from '../../config/registration.ts';
import { RefusedError } from '../../errors.ts';
import { inspect } from '../../pki/inspect.ts';
import { type CollectContext, collectContext } from '../../snapshot/collect/context.ts';
import type { JudgedProbe } from '../../snapshot/endpoint-evidence.ts';
import type { Step } from '../runner.ts';
import { describeServed, reloadMs, servedByReady } from '../served.ts';
import { podCommands, poll, type Waiting, waitFor } from '../wait.ts';
import { replicasOf } from './rollout.ts';

/** The certificate that every endpoint of a Service must serve. */
export interface ExpectedCertificate {
  readonly namespace: string;
  readonly service: string;
  /** Port of the Service. */
  readonly port: number;
  /** PEM. */
  readonly caBundle: string;
  /**
   * SHA-256 of the serving certificate, when the server gets it from our Secret. Otherwise any
   * certificate that the caBundle verifies is accepted.
   */
  readonly leaf?: string | undefined;
  /** Name of the Deployment of the pods, when it is known. */
  readonly deployment: string | undefined;
}

export interface CertificatesStep extends Step {
  /** The endpoints whose certificate could not be checked from here. */
  unchecked(): readonly string[];
}

/**
 * Waits until every ready endpoint serves a certificate that kube-apiserver will verify.
 * @param expected asked again at each look, where others may replace the certificate meanwhile
 */
export function certificatesStep(waiting: Waiting, expected: ExpectedCertificate | ReadExpected): CertificatesStep {
  let unchecked: readonly string[] = [];
  return {
    id: 'certificates',
    title: 'Checking serving certificates',
    // Endpoints that the user may not reach are reported by `unchecked`.
    needs: () => [],
    observe: async () => ({ state: 'pending' }),
    async run() {
      unchecked = await waitForCertificates(waiting, expected);
    },
    unchecked: () => unchecked,
  };
}

type ReadExpected = () => Promise<ExpectedCertificate>;

/**
 * In milliseconds. A server without a readiness probe may need this long until it listens. If
 * localhost in the pod refuses for longer, the server may listen on the pod's address only.
 */
const listenMs = 10_000;

/**
 * Polls until every ready endpoint serves a certificate that kube-apiserver verifies with this
 * caBundle, and as many pods of the Deployment are endpoints as it has replicas.
 * @returns the endpoints that cannot be reached from here. kube-apiserver may still reach them, so
 * they do not block
 * @throws RefusedError when a pod keeps another certificate for longer than a reload takes;
 * DeadlineError with the last state
 */
export async function waitForCertificates(waiting: Waiting, wanted: ExpectedCertificate | ReadExpected): Promise<readonly string[]> {
  const read = typeof wanted === 'function' ? wanted : async () => wanted;
  const first = await read();
  const host = serverNameOf({ namespace: first.namespace, name: first.service });
  const start = performance.now();
  const context = collectContext(waiting.cluster, waiting.signal);
  let unchecked: readonly string[] = [];
  const certificate = first.leaf
    ? `the certificate for ${host} with SHA-256 ${first.leaf}`
    : `a certificate for ${host} that the caBundle verifies`;
  await waitFor(`every endpoint to serve ${certificate}`, podCommands(first.namespace), waiting, async (report) => {
    unchecked = await poll({ signal: waiting.signal, report }, async () => {
      const expected = await read();
      const roots = inspect(expected.caBundle).certificates;
      const [{ probes }, replicas] = await Promise.all([servedByReady(context, { ...expected, roots }), wantedReplicas(context, expected)]);
      const missing = missingEndpoints(expected, probes, replicas);
      const elapsedMs = performance.now() - start;
      const isUnchecked = ({ evidence }: JudgedProbe): boolean =>
        evidence === 'unknown' || (evidence === 'doubtful' && elapsedMs >= listenMs);
      const bad = probes.filter((each) => each.evidence !== 'good' && !isUnchecked(each));
      if (bad.length === 0 && missing === undefined) return probes.filter(isUnchecked).map(describeServed);
      report([...bad.map(describeServed), ...(missing === undefined ? [] : [missing])].join('; '));
      const wrong = bad.filter(({ evidence, pod }) => evidence === 'wrong' && pod !== undefined);
      if (wrong.length > 0 && elapsedMs > reloadMs) throw notReloaded(expected, wrong);
      return undefined;
    });
  });
  return unchecked;
}

/** How many pods the Deployment asks for; 0 where it is not known. */
async function wantedReplicas({ cluster, signal }: CollectContext, { namespace, deployment: name }: ExpectedCertificate): Promise<number> {
  const owner = name === undefined ? undefined : await getObject(cluster, { resource: resources.Deployment, namespace, name }, signal);
  return owner ? replicasOf(owner) : 0;
}

/** EndpointSlices lag behind a rollout, so a ready pod may not be an endpoint yet. */
function missingEndpoints({ port }: ExpectedCertificate, probes: readonly JudgedProbe[], wanted: number): string | undefined {
  if (probes.length === 0) return `no endpoint is ready for port ${port} of the Service`;
  // With two address families a pod has two addresses.
  const pods = new Set(probes.flatMap(({ pod }) => pod ?? [])).size;
  return pods < wanted ? `${pods} of ${wanted} pods are endpoints of the Service` : undefined;
}

function notReloaded({ namespace, service, deployment }: ExpectedCertificate, wrong: readonly JudgedProbe[]): RefusedError {
  const restart = deployment
    ? `restart its pods before you run the same command again: kubectl -n ${namespace} rollout restart deployment/${deployment}`
    : `restart the pods of Service ${namespace}/${service} before you run the same command again.`;
  return new RefusedError(`a pod still serves a different certificate after ${reloadMs / 1000}s: ${wrong.map(describeServed).join('; ')}`, {
    fix: `Check the certificate flags of the server. If the server does not reload its certificate, ${restart}`,
  });
}
