import type { Cluster } from '../cluster/cluster.ts';
import type { Holder } from '../cluster/rotation-lease.ts';
import type { ProjectCommands } from '../config/project-commands.ts';
import { apiServiceNames } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import type { Diagnosis } from '../diagnosis/types.ts';
import type { KubeObject } from '../manifests/types.ts';
import { caBundleOf } from '../pki/anchors.ts';
import { inspect } from '../pki/inspect.ts';
import type { Issued } from '../pki/types.ts';
import { viewApiService } from '../snapshot/views.ts';
import { completeExistingDeployment } from './existing-deployment.ts';
import { bundleOnly } from './parts.ts';
import { requireAccess } from './permissions.ts';
import type { AppliedObject, OnProgress } from './progress.ts';
import { serviceOf } from './rotation/rotation.ts';
import { type RotationCheck, requireNoRotation } from './rotation-in-progress.ts';
import { checkSteps, type Step } from './runner.ts';
import { type AppliedPair, applyStep, noticesOf } from './steps/apply.ts';
import { availableStep } from './steps/available.ts';
import { certificatesStep } from './steps/certificates.ts';
import { discoveryStep } from './steps/discovery.ts';
import { endpointsStep } from './steps/endpoints.ts';
import { rolloutStep } from './steps/rollout.ts';
import { takeoverFault } from './steps/takeover.ts';
import { trustStep } from './steps/trust.ts';
import { type VerifyStep, verifyStep } from './steps/verify.ts';
import type { Waiting } from './wait.ts';
import type { BeforeWrite } from './write-lock.ts';
import { isApplyStep, pairsOf, runWriting, type WritingSteps } from './writing.ts';

export interface RegisterRequest {
  readonly registration: Registration;
  readonly issued: Issued;
  /** In apply order: those of `manifestsToRegister`, or a part of them. */
  readonly objects: readonly KubeObject[];
  /** Whether another tool applies the other objects, and the other fields of the APIServices. */
  readonly isPart?: boolean;
  readonly forceConflicts: boolean;
  /** The flags that select the cluster, for the commands in fixes. */
  readonly clusterFlags?: readonly string[];
  /** For the same commands. */
  readonly project?: ProjectCommands;
  readonly holder: Holder;
  /** Aborted by the deadline or by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

export interface RegisterResult {
  readonly applied: readonly AppliedObject[];
  readonly diagnosis: Diagnosis;
}

/**
 * Registers an API in a cluster. Nothing is applied before the server accepted a dry run of every
 * object. The APIService comes last, so the API is never registered while its server is down.
 * @throws ClusterError when permissions are missing; RefusedError on a takeover, a conflict or an
 * incomplete rotation, or while another process writes the certificate; UsageError for an object
 * that the server rejects. Nothing was changed in these cases. RefusedError when the server cannot
 * serve, or when a new caBundle might break an API that works: the APIService is left unchanged.
 * DeadlineError with what it waited for
 */
export async function register(cluster: Cluster, request: RegisterRequest): Promise<RegisterResult> {
  const { applied, verify } = await applyAndWait(cluster, request);
  return { applied, diagnosis: verify.diagnosis() };
}

/**
 * The same for a part of the objects, where another tool applies the rest.
 * @returns without a diagnosis where no APIService is among them
 */
export async function registerPart(
  cluster: Cluster,
  request: RegisterRequest,
): Promise<Pick<RegisterResult, 'applied'> & Partial<RegisterResult>> {
  const { applied, verify } = await applyAndWait(cluster, request);
  return { applied, ...(request.objects.some(isApiService) ? { diagnosis: verify.diagnosis() } : {}) };
}

async function applyAndWait(cluster: Cluster, request: RegisterRequest) {
  const { registration, holder } = request;
  const planned = stepsOf(cluster, request);
  await check(cluster, request, planned.all);
  const writing = { ...rotationCheckOf(request), registration, holder };
  const { all, verify } = await runWriting(cluster, writing, planned, ({ signal, beforeWrite }) =>
    stepsOf(cluster, { ...request, signal }, beforeWrite),
  );
  return { applied: pairsOf(all).map(({ applied }) => applied), verify };
}

/**
 * Asks the server what `register` would do. Changes nothing.
 * @returns each object before and after
 * @throws as `register` does before it changes anything, with all conflicts and rejections at once
 */
export async function dryRun(cluster: Cluster, request: RegisterRequest): Promise<readonly AppliedPair[]> {
  const { all } = stepsOf(cluster, request);
  await check(cluster, request, all);
  const pairs = pairsOf(all);
  for (const notice of pairs.flatMap(noticesOf)) request.onProgress(notice);
  return pairs;
}

async function check(cluster: Cluster, request: RegisterRequest, steps: readonly Step[]): Promise<void> {
  const { objects, signal, onProgress } = request;
  onProgress({ kind: 'step', what: `Checking permissions and conflicts in ${cluster.server} (context "${cluster.context}")` });
  const needs = steps.flatMap((step) => step.needs());
  await requireAccess(cluster, needs, objects, signal);
  await requireNoRotation(cluster, rotationCheckOf(request));
  await checkSteps(steps.filter(isApplyStep));
}

const rotationCheckOf = ({ registration, project, signal, onProgress }: RegisterRequest): RotationCheck => ({
  service: serviceOf({ registration }),
  directory: project?.directory ?? '.',
  signal,
  onProgress,
});

interface RegisterSteps extends WritingSteps {
  readonly verify: VerifyStep;
}

function stepsOf(cluster: Cluster, request: RegisterRequest, beforeWrite?: BeforeWrite): RegisterSteps {
  const { registration, issued, objects, isPart, forceConflicts, clusterFlags, project, signal, onProgress } = request;
  const waiting: Waiting = { cluster, signal, onProgress };
  const { namespace } = registration.metadata;
  const { name: service, port } = registration.spec.service;
  const apiServices = objects.filter(isApiService);
  const serverObjects = objects.filter((object) => !isApiService(object));
  const deployment = objects.find(isDeployment);
  const names = apiServiceNames(registration);

  const server = applyStep(waiting, {
    id: 'apply-server',
    title: 'Applying the server',
    objects: serverObjects,
    complete: () => completeExistingDeployment(cluster, registration, serverObjects, signal),
    forceConflicts,
    beforeWrite,
  });
  const api = applyStep(waiting, {
    id: 'apply-apiservices',
    title: 'Registering the API',
    objects: apiServices,
    completeOne: isPart ? (wanted, found) => verifyAgain(bundleOnly(wanted, found), found) : verifyAgain,
    forceConflicts,
    guard: () => takeoverFault(cluster, apiServices, signal),
    beforeWrite,
  });
  const certificates = certificatesStep(waiting, {
    namespace,
    service,
    port,
    caBundle: caBundleOf(issued),
    deployment: deployment?.metadata.name,
    // A server outside the cluster, or one that mounts its own Secret, may serve another
    // certificate that the caBundle accepts.
    leaf: deployment && inspect(issued.chain).certificates[0]?.fingerprint,
  });
  const verify = verifyStep(waiting, { names, clusterFlags, project });
  const writes = [
    server,
    ...(deployment ? [rolloutStep(waiting, deployment)] : []),
    endpointsStep(waiting, namespace, service),
    certificates,
    trustStep(waiting, { unchecked: certificates.unchecked, namespace, deployment: deployment?.metadata.name, apiServices }),
    api,
  ];
  if (apiServices.length === 0) return { verify, writes: [server], results: [], all: [server] };
  const results = [availableStep(waiting, names), verify, discoveryStep(waiting, names, () => isListed(verify.diagnosis()))];
  return { verify, writes, results, all: [...writes, ...results] };
}

/** Discovery lists no API that does not answer, or that has no resources yet. */
const isListed = ({ verdict, apis }: Diagnosis): boolean =>
  verdict === 'healthy' && !apis.some(({ findings }) => findings.some(({ code }) => code === 'discovery/no-metrics'));

/**
 * Turns verification on again in an APIService that skips it: kube-apiserver does not accept a
 * caBundle there (kube-aggregator pkg/apis/apiregistration/validation). Elsewhere it drops the
 * field, so that `kubectl apply` would write it on every run.
 */
export const verifyAgain = (wanted: KubeObject, found: KubeObject | undefined): KubeObject =>
  found && viewApiService(found).insecureSkipTLSVerify
    ? { ...wanted, spec: { ...(wanted.spec as object), insecureSkipTLSVerify: false } }
    : wanted;

const isApiService = ({ kind }: KubeObject): boolean => kind === 'APIService';
const isDeployment = ({ kind }: KubeObject): boolean => kind === 'Deployment';
