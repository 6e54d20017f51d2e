import type { Cluster } from '../cluster/cluster.ts';
import type { Holder } from '../cluster/rotation-lease.ts';
import type { Need } from '../cluster/status.ts';
import type { ProjectCommands } from '../config/project-commands.ts';
import { apiServiceNames } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import type { Diagnosis } from '../diagnosis/types.ts';
import { manifestsToRegister } from '../manifests/render.ts';
import type { KubeObject } from '../manifests/types.ts';
import { inspect } from '../pki/inspect.ts';
import type { Issued } from '../pki/types.ts';
import { projectFiles } from '../project/project.ts';
import { completeExistingDeployment } from './existing-deployment.ts';
import { requireAccess } from './permissions.ts';
import type { AppliedObject, OnProgress } from './progress.ts';
import { lookAtAll } from './rotation/look.ts';
import { certificateSet, type Rotation, serviceOf } from './rotation/rotation.ts';
import { type RotationCheck, requireNoRotation } from './rotation-in-progress.ts';
import { checkSteps, type Step } from './runner.ts';
import { lookNeeds } from './secure/needs.ts';
import { requireServed } from './secure/plan.ts';
import { type AppliedPair, type ApplyStep, applyStep } from './steps/apply.ts';
import { availableStep } from './steps/available.ts';
import { restarts } from './steps/restarts.ts';
import { rolloutStep } from './steps/rollout.ts';
import { servedStep } from './steps/served.ts';
import { takeoverFault } from './steps/takeover.ts';
import { type VerifyStep, verifyStep } from './steps/verify.ts';
import { verifyAgain } from './verify-again.ts';
import type { Waiting } from './wait.ts';
import type { BeforeWrite } from './write-lock.ts';
import { type CertificatesToWrite, isApplyStep, pairsOf, runWriting, type WritingSteps } from './writing.ts';

/** What a server gets so that kube-apiserver can verify it. */
export interface SecureRequest extends CertificatesToWrite {
  readonly registration: Registration;
  readonly issued: Issued;
  /** The project directory; undefined where the server keeps its own certificate. */
  readonly dir: string | undefined;
  /** The flags that select the cluster, for the commands in fixes. */
  readonly clusterFlags: readonly string[];
  readonly project?: ProjectCommands;
  readonly holder: Holder;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

export interface SecureResult {
  readonly applied: readonly AppliedObject[];
  readonly diagnosis: Diagnosis;
}

/**
 * Tells what `secure` would change. Changes nothing.
 * @throws ClusterError when permissions are missing; as `applyStep` for what the server refuses
 */
export async function planChanges(cluster: Cluster, request: SecureRequest): Promise<readonly AppliedPair[]> {
  const steps = stepsOf(cluster, request);
  await check(cluster, request, steps);
  return pairsOf(steps.all);
}

/**
 * Gives a running server a certificate, and lets kube-apiserver verify it. The APIService comes
 * last, so that no request fails. A second run continues.
 * @throws as `planChanges`, before anything changes; RefusedError where a pod serves another
 * certificate: the APIService is unchanged then; DeadlineError with what it waited for
 */
export async function secure(cluster: Cluster, request: SecureRequest): Promise<SecureResult> {
  const { registration, issued, readAgain, holder } = request;
  const planned = stepsOf(cluster, request);
  await check(cluster, request, planned);
  const writing = { ...rotationCheckOf(request), registration, issued, readAgain, holder };
  const { writes, verify } = await runWriting(cluster, writing, planned, ({ signal, beforeWrite }) =>
    stepsOf(cluster, { ...request, signal }, beforeWrite),
  );
  return { applied: pairsOf(writes).map(({ applied }) => applied), diagnosis: verify.diagnosis() };
}

const rotationCheckOf = ({ registration, dir = '.', signal, onProgress }: SecureRequest): RotationCheck => ({
  service: serviceOf({ registration }),
  directory: dir,
  signal,
  onProgress,
});

async function check(cluster: Cluster, request: SecureRequest, { all, objects }: Steps): Promise<void> {
  await requireNoRotation(cluster, rotationCheckOf(request));
  await requireAccess(
    cluster,
    all.flatMap((step) => step.needs()),
    objects,
    request.signal,
  );
  await checkSteps(all.filter(isApplyStep));
}

interface Steps extends WritingSteps {
  readonly objects: readonly KubeObject[];
  readonly verify: VerifyStep;
}

function stepsOf(cluster: Cluster, request: SecureRequest, beforeWrite?: BeforeWrite): Steps {
  const { registration, issued, clusterFlags, project, signal, onProgress } = request;
  const waiting: Waiting = { cluster, signal, onProgress };
  const objects = manifestsToRegister(registration, issued).map(({ object }) => object);
  const ofKind = (kind: string): readonly KubeObject[] => objects.filter((object) => object.kind === kind);
  const [apiServices, server] = [ofKind('APIService'), [...ofKind('Secret'), ...ofKind('Deployment')]];
  const names = apiServiceNames(registration);
  const verify = verifyStep(waiting, { names, clusterFlags, project });
  const writes = [
    ...(server.length > 0 ? serverSteps(waiting, { ...request, objects: server, beforeWrite }) : []),
    trustStep(waiting, { ...request, objects: apiServices, beforeWrite }),
  ];
  const results = [availableStep(waiting, names), verify];
  return { objects: [...server, ...apiServices], verify, writes, results, all: [...writes, ...results] };
}

/** The user has confirmed the changes, so that fields of other managers are taken over. */
const forceConflicts = true;

interface Applied extends SecureRequest {
  readonly objects: readonly KubeObject[];
  readonly beforeWrite: BeforeWrite | undefined;
}

/** The Secret, the Deployment, and its pods, which must all serve the certificate. */
function serverSteps(waiting: Waiting, { registration, issued, dir = '.', objects, beforeWrite }: Applied): Step[] {
  const { cluster, signal } = waiting;
  const to = certificateSet(issued);
  const deployment = objects.find(({ kind }) => kind === 'Deployment');
  if (!to || !deployment) throw new Error('a project without a certificate or a Deployment');
  const rotation: Rotation = {
    ...waiting,
    registration,
    now: () => new Date(),
    kind: 'leaf',
    direction: 'forward',
    from: undefined,
    to,
    files: projectFiles(dir),
    caFiles: [],
    soakMs: 0,
    restart: 'auto',
    nudge: false,
    forceConflicts,
    undo: `apisvc secure ${apiServiceNames(registration)[0]} --undo`,
    // Its pods are awaited, and restarted where they do not reload. No Secret is written by it.
    renewLease: async () => {},
  };
  const apply = applyStep(waiting, {
    id: 'apply-server',
    title: 'Adding the certificate to the server',
    objects,
    complete: () => completeExistingDeployment(cluster, registration, objects, signal),
    forceConflicts,
    beforeWrite,
  });
  const nobodyElse = async (): Promise<void> => {};
  const served = servedStep(rotation, lookAtAll(rotation), nobodyElse, restarts(rotation));
  // A rotation may restart any Deployment. Here it is known, and the steps before name it.
  const isKnown = ({ ref }: Need): boolean => ref.resource.kind === 'Deployment';
  return [apply, rolloutStep(waiting, deployment), { ...served, needs: () => served.needs().filter((need) => !isKnown(need)) }];
}

/**
 * Sets caBundle and insecureSkipTLSVerify of an APIService in one request: kube-apiserver accepts
 * no caBundle where verification is off. Before the first one, it looks at all pods again.
 */
function trustStep(waiting: Waiting, { registration, issued, dir, objects, beforeWrite }: Applied): ApplyStep {
  const { cluster, signal } = waiting;
  const step = applyStep(waiting, {
    id: 'apply-apiservices',
    title: 'Turning on verification',
    objects,
    completeOne: verifyAgain,
    forceConflicts,
    guard: () => takeoverFault(cluster, objects, signal),
    beforeWrite,
  });
  const leaf = dir === undefined ? undefined : inspect(issued.chain).certificates[0]?.fingerprint;
  return {
    ...step,
    needs: () => [...step.needs(), ...lookNeeds(registration.metadata.namespace)],
    async run() {
      await requireServed(waiting, registration, issued, leaf);
      await step.run();
    },
  };
}
