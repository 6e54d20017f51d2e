import type { Cluster } from '../cluster/cluster.ts';
import type { Need } from '../cluster/status.ts';
import type { Diagnosis } from '../diagnosis/types.ts';
import { requireCurrentCopy } from './current-copy.ts';
import { copyCheckOf } from './outdated.ts';
import { requireAccess } from './permissions.ts';
import type { AppliedObject, OnProgress } from './progress.ts';
import { isApiService, type RegisterRequest } from './register-request.ts';
import { type RegisterSteps, registerSteps } from './register-steps.ts';
import { serviceOf } from './rotation/rotation.ts';
import { type RotationCheck, requireNoRotation } from './rotation-in-progress.ts';
import { checkSteps } from './runner.ts';
import { type AppliedPair, noticesOf } from './steps/apply.ts';
import type { BeforeWrite } from './write-lock.ts';
import { isApplyStep, pairsOf, runWriting } from './writing.ts';

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
  { all, preconditions }: RegisterSteps,
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

const stepsOf = (cluster: Cluster, request: RegisterRequest, beforeWrite?: BeforeWrite): RegisterSteps =>
  registerSteps({ cluster, signal: request.signal, onProgress: request.onProgress }, request, beforeWrite);
