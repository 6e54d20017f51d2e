import type { Cluster } from '../cluster/cluster.ts';
import { apiServiceNames } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import { RefusedError } from '../errors.ts';
import type { KubeObject } from '../manifests/types.ts';
import type { Material } from '../pki/types.ts';
import type { Diagnosis } from '../verify/types.ts';
import { type AppliedPair, applyAll } from './apply-all.ts';
import { waitForCertificates } from './certificates.ts';
import type { AppliedObject, OnProgress, Progress } from './events.ts';
import { refuseTakeover, requireAccess, requireExisting } from './preflight.ts';
import { waitForRollout } from './rollout.ts';
import { verifyUntilHealthy } from './verify.ts';
import { type Waiting, waitForAvailable, waitForEndpoints } from './wait.ts';

export interface RegisterRequest {
  readonly registration: Registration;
  readonly material: Material;
  /** In apply order, as `renderManifests` gives them. */
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
 * (so that there is no moment at which the API is registered and dead), a wait until it is Available, and the checks of verify.
 * @throws ClusterError when permissions are missing; RefusedError on a takeover or a conflict; UsageError for what the server rejects; nothing is changed
 * in these cases. DeadlineError with what was waited for
 */
export async function register(cluster: Cluster, request: RegisterRequest): Promise<RegisterResult> {
  const { registration, objects, signal, onProgress } = request;
  await rehearse(cluster, { ...request, onProgress: only('step', onProgress) });
  const apiServices = objects.filter(isApiService);
  const backend = objects.filter((object) => !isApiService(object));
  const options = { dryRun: false, forceConflicts: request.forceConflicts, signal, onProgress };

  onProgress({ kind: 'step', what: 'applying what the server needs' });
  const first = await applyAll(cluster, backend, options);
  onProgress({ kind: 'step', what: 'waiting for the server' });
  // As the cluster has it: of a Deployment that was there before, ours is only a part.
  const deployment = first.find(({ wanted }) => isDeployment(wanted))?.after;
  const unseen = await waitForServer({ cluster, signal, onProgress }, request, deployment);
  if (unseen.length > 0 && first.some(isReplacedSecret)) throw unknownCertificate(registration, deployment, unseen);
  onProgress({ kind: 'step', what: 'registering the API' });
  const second = await applyAll(cluster, apiServices, options);
  await Promise.all(apiServices.map(({ metadata }) => waitForAvailable({ cluster, signal, onProgress }, metadata.name)));
  onProgress({ kind: 'step', what: 'verifying' });
  const diagnosis = await verifyUntilHealthy(cluster, apiServiceNames(registration), AbortSignal.timeout(settleMs), signal);
  return { applied: [...first, ...second].map(({ applied }) => applied), diagnosis };
}

/**
 * Asks the server what `register` would do, and changes nothing.
 * @returns each object before and after
 * @throws as `register` does before it changes anything, with all conflicts and rejections at once
 */
export async function rehearse(cluster: Cluster, request: RegisterRequest): Promise<readonly AppliedPair[]> {
  const { registration, objects, forceConflicts, signal, onProgress } = request;
  onProgress({ kind: 'step', what: `asking ${cluster.server} (context "${cluster.context}") what is allowed and what is there` });
  await requireAccess(cluster, objects, signal);
  await requireExisting(cluster, registration, signal);
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

const isReplacedSecret = ({ applied, wanted }: AppliedPair): boolean => wanted.kind === 'Secret' && applied.change === 'configured';

/** A caBundle that is ahead of the pods fails every request, so it is not written on trust. The next run finds the Secret as it should be and goes on. */
function unknownCertificate({ metadata }: Registration, deployment: KubeObject | undefined, unseen: readonly string[]): RefusedError {
  const restart = deployment ? `: kubectl -n ${metadata.namespace} rollout restart deployment/${deployment.metadata.name}` : '';
  return new RefusedError(
    `the serving certificate was replaced, and from here it can't be seen whether it is served (${unseen.join('; ')}); the APIService was left as it is`,
    {
      fix: `Wait until the pods have read the new Secret (restart them if they don't by themselves${restart}), then run the same command again.`,
    },
  );
}

/** @returns the endpoints whose certificate can't be seen from here */
async function waitForServer(
  waiting: Waiting,
  { registration, material }: RegisterRequest,
  deployment: KubeObject | undefined,
): Promise<readonly string[]> {
  const { spec, metadata } = registration;
  // Nothing will ever be ready where nothing is to run.
  if (deployment && spec.server.replicas === 0) return [];
  if (deployment) await waitForRollout(waiting, deployment);
  const { name: service, port } = spec.service;
  await waitForEndpoints(waiting, metadata.namespace, service);
  const expected = { namespace: metadata.namespace, service, port, caBundle: material.caBundle, deployment: deployment?.metadata.name };
  return waitForCertificates(waiting, expected);
}
