import type { Cluster } from '../cluster/cluster.ts';
import type { Need } from '../cluster/status.ts';
import { apiServiceNames } from '../config/registration.ts';
import { responsibilitiesOf } from '../config/responsibilities.ts';
import type { Diagnosis } from '../diagnosis/types.ts';
import { issuerOf } from '../issuers/issuers.ts';
import { caSecretRef } from './ca-secret.ts';
import { requireAccess } from './permissions.ts';
import type { AppliedObject, OnProgress } from './progress.ts';
import { apiStep, keepTrust } from './register/api-service.ts';
import { copyCheckOf, currentCopyStep, requireCurrentCopy } from './register/current-copy.ts';
import { expectedIn } from './register/expected.ts';
import { othersSecret, trustOthers } from './register/others.ts';
import { isApiService, isDeployment, type RegisterRequest, type RegisterRun } from './register/request.ts';
import { serverStep } from './register/server.ts';
import { serviceOf } from './rotation/rotation.ts';
import { type RotationCheck, requireNoRotation } from './rotation-in-progress.ts';
import { checkSteps, type Step } from './runner.ts';
import { type AppliedPair, noticesOf } from './steps/apply.ts';
import { availableStep } from './steps/available.ts';
import { certificatesStep } from './steps/certificates.ts';
import { discoveryStep } from './steps/discovery.ts';
import { endpointsStep } from './steps/endpoints.ts';
import { injectedStep } from './steps/injected.ts';
import { caSecretGuard, removeCaKeyStep } from './steps/move-ca-key.ts';
import { rolloutStep } from './steps/rollout.ts';
import { type VerifyStep, verifyStep } from './steps/verify.ts';
import type { Waiting } from './wait.ts';
import type { BeforeWrite } from './write-lock.ts';
import { isApplyStep, pairsOf, runWriting, type WritingSteps } from './writing.ts';

export interface RegisterResult {
  readonly applied: readonly AppliedObject[];
  readonly diagnosis: Diagnosis;
}

/**
 * Registers an API in a cluster. Nothing is applied before the server accepted a dry run of every
 * object. The APIService comes last, so the API is never registered while its server is down.
 * @throws ClusterError when permissions are missing; RefusedError on a takeover, a conflict or an
 * incomplete rotation, while another process writes the certificate, or where the cluster has a
 * newer certificate; UsageError for an object that the server rejects. Nothing was changed in these
 * cases. RefusedError when the server cannot serve, or when a new caBundle might break an API that
 * works: the APIService is left unchanged. DeadlineError with what it waited for
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

async function applyAndWait(cluster: Cluster, given: RegisterRequest) {
  // An APIService may be written twice: first to trust another CA too.
  const written = new Set<string>();
  const onProgress: OnProgress = (progress) => {
    if (progress.kind === 'applied' && progress.applied.change === 'configured') written.add(progress.applied.object);
    given.onProgress(progress);
  };
  const request = { ...given, onProgress };
  const { registration, issued, readAgain, holder } = request;
  const planned = stepsOf(cluster, request);
  await check(cluster, request, planned);
  const writing = { ...rotationCheckOf(request), registration, issued, readAgain, holder };
  const { all, verify } = await runWriting(cluster, writing, planned, ({ signal, beforeWrite }) =>
    stepsOf(cluster, { ...request, signal }, beforeWrite),
  );
  const applied = pairsOf(all).map((pair): AppliedObject => {
    const { object, change } = pair.applied;
    return { object, change: change === 'unchanged' && written.has(object) ? 'configured' : change };
  });
  return { applied, verify };
}

/**
 * Asks the server what `register` would do. Changes nothing.
 * @returns each object before and after
 * @throws as `register` does before it changes anything, with all conflicts and rejections at once
 */
export async function dryRun(cluster: Cluster, request: RegisterRequest): Promise<readonly AppliedPair[]> {
  const steps = stepsOf(cluster, request);
  await check(cluster, request, steps);
  const pairs = pairsOf(steps.all);
  for (const notice of pairs.flatMap(noticesOf)) request.onProgress(notice);
  return pairs;
}

/**
 * Checks what `register` checks before it changes anything, for a caller that gets the certificate
 * first.
 * @param needs the permissions for that
 * @throws as `register` does before it changes anything
 */
export const checkRegistration = (cluster: Cluster, request: RegisterRequest, needs: readonly Need[]): Promise<void> =>
  check(cluster, request, stepsOf(cluster, request), needs);

async function check(
  cluster: Cluster,
  request: RegisterRequest,
  { all, preconditions }: Steps,
  before: readonly Need[] = [],
): Promise<void> {
  const { objects, signal, onProgress } = request;
  onProgress({ kind: 'step', what: `Checking permissions and conflicts in ${cluster.server} (context "${cluster.context}")` });
  const needs = [...before, ...all.flatMap((step) => step.needs())];
  await requireAccess(cluster, needs, objects, signal);
  await requireNoRotation(cluster, rotationCheckOf(request));
  const copy = copyCheckOf(cluster, request);
  if (copy) await requireCurrentCopy(copy, onProgress);
  await checkSteps([...preconditions, ...all.filter(isApplyStep)]);
}

const rotationCheckOf = ({ registration, project, signal, onProgress }: RegisterRequest): RotationCheck => ({
  service: serviceOf({ registration }),
  directory: project?.directory ?? '.',
  signal,
  onProgress,
});

interface Steps extends WritingSteps {
  readonly verify: VerifyStep;
  /** What others must have written correctly before anything is applied. */
  readonly preconditions: readonly Step[];
}

/**
 * The steps of `register`. Who writes the Secret and the caBundle decides which ones: what others
 * write is awaited, not applied.
 */
function stepsOf(cluster: Cluster, request: RegisterRequest, beforeWrite?: BeforeWrite): Steps {
  const { registration, clusterFlags, project, signal, onProgress } = request;
  const waiting: Waiting = { cluster, signal, onProgress };
  const { spec, metadata } = registration;
  const { caBundle } = responsibilitiesOf(registration);
  const names = apiServiceNames(registration);
  const deployment = request.objects.find(isDeployment);
  const others = othersSecret(waiting, request);
  const run: RegisterRun = { waiting, request, beforeWrite, others };
  const server = serverStep(run);
  const api = apiStep(run);
  const certificates = certificatesStep(waiting, expectedIn(run));
  const verify = verifyStep(waiting, { names, clusterFlags, project });
  const copy = copyCheckOf(cluster, request);
  const moving = movingOf(request);
  const guards = moving ? [caSecretGuard(waiting, moving)] : [];
  const current = [...(copy ? [currentCopyStep(copy)] : []), ...guards];
  const apply = [server, ...(moving ? [removeCaKeyStep(waiting, moving)] : [])];
  const start = [
    ...current,
    ...(others && caBundle === 'apisvc' ? trustOthers(run, others) : []),
    ...apply,
    ...(others ? [others] : []),
    ...(deployment ? [rolloutStep(waiting, deployment)] : []),
    endpointsStep(waiting, metadata.namespace, spec.service.name),
  ];
  const end = [availableStep(waiting, names), verify, discoveryStep(waiting, names, () => isListed(verify.diagnosis()))];
  const { writes, results } =
    caBundle === 'apisvc'
      ? { writes: [...start, certificates, keepTrust(run, certificates), api], results: end }
      : {
          writes: [...start, api],
          results: [...(caBundle === 'nobody' ? [] : [injectedStep(waiting, registration), certificates]), ...end],
        };
  if (!request.objects.some(isApiService)) {
    const partWrites = [...current, ...apply];
    return { verify, writes: partWrites, results: [], all: partWrites, preconditions: guards };
  }
  return {
    verify,
    writes,
    results,
    all: [...writes, ...results],
    preconditions: [...guards, ...(others && !issuerOf(registration).correctsSecret ? [others] : [])],
  };
}

/** The key of the CA moves only where its Secret is written. */
function movingOf({ registration, ca: pair, objects, project }: RegisterRequest) {
  const ref = caSecretRef(registration);
  if (!pair || !ref || !objects.some(({ kind, metadata }) => kind === 'Secret' && metadata.name === ref.name)) return undefined;
  return { registration, dir: project?.directory ?? '.', ref, pair };
}

/** Discovery lists no API that does not answer, or that has no resources yet. */
const isListed = ({ verdict, apis }: Diagnosis): boolean =>
  verdict === 'healthy' && !apis.some(({ findings }) => findings.some(({ code }) => code === 'discovery/no-metrics'));
