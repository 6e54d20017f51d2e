import type { Cluster } from '../cluster/cluster.ts';
import { apiServiceNames } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import type { KubeObject } from '../manifests/types.ts';
import type { Material } from '../pki/types.ts';
import type { Diagnosis } from '../verify/types.ts';
import { type AppliedPair, applyAll } from './apply-all.ts';
import type { AppliedObject, OnProgress } from './events.ts';
import { refuseTakeover, requireAccess } from './preflight.ts';
import { verifyUntilHealthy } from './verify.ts';
import { type Waiting, waitForAvailable, waitForCertificate, waitForEndpoints, waitForRollout } from './wait.ts';

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
 * Puts a registration into a cluster: everything that the server needs, then a wait until it serves, only then the APIService (so that there is no
 * moment at which the API is registered and dead), a wait until it is Available, and the checks of verify.
 * @throws ClusterError when permissions are missing; RefusedError on a takeover or a conflict; DeadlineError with what was waited for
 */
export async function register(cluster: Cluster, request: RegisterRequest): Promise<RegisterResult> {
  const { registration, objects, signal, onProgress } = request;
  await preflight(cluster, request);
  const apiServices = objects.filter(isApiService);
  const backend = objects.filter((object) => !isApiService(object));
  const options = { dryRun: false, forceConflicts: request.forceConflicts, signal, onProgress };

  onProgress({ kind: 'step', what: 'applying what the server needs' });
  const first = await applyAll(cluster, backend, options);
  onProgress({ kind: 'step', what: 'waiting for the server' });
  await waitForServer({ cluster, signal, onProgress }, request);
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
 */
export async function rehearse(cluster: Cluster, request: RegisterRequest): Promise<readonly AppliedPair[]> {
  const { objects, forceConflicts, signal, onProgress } = request;
  await preflight(cluster, request);
  return applyAll(cluster, objects, { dryRun: true, forceConflicts, signal, onProgress });
}

const isApiService = ({ kind }: KubeObject): boolean => kind === 'APIService';

async function preflight(cluster: Cluster, { objects, signal, onProgress }: RegisterRequest): Promise<void> {
  onProgress({ kind: 'step', what: `asking ${cluster.server} (context "${cluster.context}") what is allowed and what is there` });
  await requireAccess(cluster, objects, signal);
  await refuseTakeover(cluster, objects.filter(isApiService), signal);
}

async function waitForServer(waiting: Waiting, { registration, material, objects }: RegisterRequest): Promise<void> {
  const { spec, metadata } = registration;
  const { external } = spec.server;
  const host = `${spec.service.name}.${metadata.namespace}.svc`;
  const deployment = objects.find(({ kind }) => kind === 'Deployment');
  // Nothing will ever be ready where nothing is to run.
  if (deployment && spec.server.replicas === 0) return;
  if (deployment) await waitForRollout(waiting, deployment);
  await waitForEndpoints(waiting, metadata.namespace, spec.service.name);
  const servers = (external?.addresses ?? []).map((address) => ({ address, port: external?.port ?? 0, host, caBundle: material.caBundle }));
  await Promise.all(servers.map((server) => waitForCertificate(waiting, server)));
}
