import type { Cluster } from '../cluster/cluster.ts';
import { apiServiceNames } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import type { Diagnosis } from '../diagnosis/types.ts';
import { RefusedError } from '../errors.ts';
import type { KubeObject } from '../manifests/types.ts';
import { caBundleOf } from '../pki/anchors.ts';
import { inspect } from '../pki/inspect.ts';
import type { Issued } from '../pki/types.ts';
import { type AppliedPair, applyAll } from './apply-all.ts';
import { replicasOf, waitForCertificates } from './certificates.ts';
import type { AppliedObject, OnProgress, Progress } from './events.ts';
import { completeExistingDeployment } from './existing-deployment.ts';
import { waitUntilListed } from './listing.ts';
import { refuseTakeover, requireAccess } from './preflight.ts';
import { waitForRollout } from './rollout.ts';
import { refuseUnseenSwap } from './unseen.ts';
import { verifyUntilHealthy } from './verify.ts';
import { type Waiting, waitForAvailable, waitForEndpoints } from './wait.ts';

export interface RegisterRequest {
  readonly registration: Registration;
  readonly issued: Issued;
  /** In apply order, as `manifestsToRegister` gives them. */
  readonly objects: readonly KubeObject[];
  readonly forceConflicts: boolean;
  /** Aborted by the deadline or by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/** kube-apiserver's proxy and discovery learn of a registration a moment after the condition says Available; a fault that lasts longer is one. */
const settleMs = 10_000;

export interface RegisterResult {
  readonly applied: readonly AppliedObject[];
  readonly diagnosis: Diagnosis;
}

/**
 * Puts a registration into a cluster: a dry run of all of it, then everything that the server needs, then a wait until it serves, only then the APIService
 * (so that there is no moment at which the API is registered and dead), a wait until it is Available, the checks of verify, and a wait until kubectl knows it.
 * @throws ClusterError when permissions are missing; RefusedError on a takeover or a conflict; UsageError for what the server rejects; nothing is changed
 * in these cases. RefusedError when the server can't serve, or nobody can see whether a caBundle would break what works; the APIService is left as it is. DeadlineError
 * with what was waited for
 */
export async function register(cluster: Cluster, request: RegisterRequest): Promise<RegisterResult> {
  const { registration, signal, onProgress } = request;
  const dryRun = await rehearse(cluster, { ...request, onProgress: only('step', onProgress) });
  const objects = dryRun.map(({ wanted }) => wanted);
  const apiServices = objects.filter(isApiService);
  const backend = objects.filter((object) => !isApiService(object));
  const options = { dryRun: false, forceConflicts: request.forceConflicts, signal, onProgress };

  onProgress({ kind: 'step', what: 'applying what the server needs' });
  const first = await applyAll(cluster, backend, options);
  onProgress({ kind: 'step', what: 'waiting for the server' });
  // As the cluster has it: of a Deployment that was there before, ours is only a part.
  const deployment = first.find(({ wanted }) => isDeployment(wanted))?.after;
  const endpoints = await waitForServer({ cluster, signal, onProgress }, request, deployment);
  const unseen = { endpoints, namespace: registration.metadata.namespace, deployment: deployment?.metadata.name };
  await refuseUnseenSwap({ cluster, signal, onProgress }, unseen, apiServices);
  onProgress({ kind: 'step', what: 'registering the API' });
  const second = await applyAll(cluster, apiServices, options);
  await Promise.all(apiServices.map(({ metadata }) => waitForAvailable({ cluster, signal, onProgress }, metadata.name)));
  onProgress({ kind: 'step', what: 'verifying' });
  const wanted = { names: apiServiceNames(registration) };
  const { diagnosis } = await verifyUntilHealthy(cluster, { wanted, until: AbortSignal.timeout(settleMs), signal });
  if (diagnosis.verdict === 'healthy') await waitUntilListed({ cluster, signal, onProgress }, wanted.names);
  return { applied: [...first, ...second].map(({ applied }) => applied), diagnosis };
}

/**
 * Asks the server what `register` would do, and changes nothing.
 * @returns each object before and after
 * @throws as `register` does before it changes anything, with all conflicts and rejections at once
 */
export async function rehearse(cluster: Cluster, request: RegisterRequest): Promise<readonly AppliedPair[]> {
  const { registration, forceConflicts, signal, onProgress } = request;
  onProgress({ kind: 'step', what: `asking ${cluster.server} (context "${cluster.context}") what is allowed and what is there` });
  await requireAccess(cluster, request.objects, signal);
  const objects = await completeExistingDeployment(cluster, registration, request.objects, signal);
  await refuseTakeover(cluster, objects.filter(isApiService), signal);
  // The result lists what would be applied.
  return applyAll(cluster, objects, { dryRun: true, forceConflicts, signal, onProgress: only('took-back', onProgress) });
}

/** Of all progress only one kind. */
const only =
  (kind: Progress['kind'], onProgress: OnProgress): OnProgress =>
  (progress) => {
    if (progress.kind === kind) onProgress(progress);
  };

const isApiService = ({ kind }: KubeObject): boolean => kind === 'APIService';
const isDeployment = ({ kind }: KubeObject): boolean => kind === 'Deployment';

/** @returns the endpoints whose certificate can't be seen from here */
async function waitForServer(
  waiting: Waiting,
  { registration, issued }: RegisterRequest,
  deployment: KubeObject | undefined,
): Promise<readonly string[]> {
  const { namespace } = registration.metadata;
  const { name: service, port } = registration.spec.service;
  if (deployment) {
    if (replicasOf(deployment) === 0) throw scaledToZero(deployment);
    await waitForRollout(waiting, deployment);
  }
  await waitForEndpoints(waiting, namespace, service);
  const caBundle = caBundleOf(issued);
  // Only a server that apisvc gives the Secret can be held to that one certificate. What is outside the cluster, or mounts a Secret by itself, may have another
  // that the caBundle accepts, such as one that is renewed elsewhere.
  const leaf = deployment && inspect(issued.chain).certificates[0]?.fingerprint;
  const expected = { namespace, service, port, caBundle, deployment: deployment?.metadata.name };
  return waitForCertificates(waiting, leaf === undefined ? expected : { ...expected, leaf });
}

/** Nothing will ever be ready where nothing is to run, and an API that is registered without a server hampers the whole cluster. */
function scaledToZero({ metadata: { namespace, name } }: KubeObject): RefusedError {
  return new RefusedError(
    `Deployment ${namespace}/${name} is scaled to 0, so nothing would serve the API; the APIService was left as it is`,
    {
      fix: `kubectl -n ${namespace} scale deployment/${name} --replicas=1, then run the same command again.`,
    },
  );
}
