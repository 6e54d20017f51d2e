import { apiServiceNames, secretName } from '../config/registration.ts';
import { responsibilitiesOf } from '../config/responsibilities.ts';
import type { Diagnosis } from '../diagnosis/types.ts';
import { issuerOf } from '../issuers/issuers.ts';
import type { KubeObject } from '../manifests/types.ts';
import { caBundleOf } from '../pki/anchors.ts';
import { inspect } from '../pki/inspect.ts';
import { viewApiService } from '../snapshot/views.ts';
import { caSecretRef } from './ca-secret.ts';
import { currentCopyStep } from './current-copy.ts';
import { completeExistingDeployment } from './existing-deployment.ts';
import { copyCheckOf } from './outdated.ts';
import { bundleOnly } from './parts.ts';
import { isApiService, isDeployment, type RegisterRequest } from './register-request.ts';
import { bundleText, withBundle } from './rotation/bundles.ts';
import type { Step } from './runner.ts';
import { applyStep } from './steps/apply.ts';
import { availableStep } from './steps/available.ts';
import { type CertificatesStep, certificatesStep, type ExpectedCertificate } from './steps/certificates.ts';
import { discoveryStep } from './steps/discovery.ts';
import { endpointsStep } from './steps/endpoints.ts';
import { handoverFault } from './steps/handover.ts';
import { injectedInto, injectedStep } from './steps/injected.ts';
import { caSecretGuard, removeCaKeyStep } from './steps/move-ca-key.ts';
import { type OthersSecretStep, othersSecretStep } from './steps/others-secret.ts';
import { rolloutStep } from './steps/rollout.ts';
import { takeoverFault } from './steps/takeover.ts';
import { trustStep } from './steps/trust.ts';
import { othersUptakeStep, trustOthersStep } from './steps/trust-others.ts';
import { type VerifyStep, verifyStep } from './steps/verify.ts';
import type { Waiting } from './wait.ts';
import type { BeforeWrite } from './write-lock.ts';
import type { WritingSteps } from './writing.ts';

export interface RegisterSteps extends WritingSteps {
  readonly verify: VerifyStep;
  /** What others must have written correctly before anything is applied. */
  readonly preconditions: readonly Step[];
}

/**
 * The steps of `register`. Who writes the Secret and the caBundle decides which ones: what others
 * write is awaited, not applied.
 */
export function registerSteps(waiting: Waiting, request: RegisterRequest, beforeWrite?: BeforeWrite): RegisterSteps {
  const { registration, clusterFlags, project } = request;
  const { spec, metadata } = registration;
  const { caBundle } = responsibilitiesOf(registration);
  const names = apiServiceNames(registration);
  const deployment = request.objects.find(isDeployment);
  const others = othersSecret(waiting, request);
  const parts: Parts = { waiting, request, beforeWrite, others };
  const server = serverStep(parts);
  const api = apiStep(parts);
  const certificates = certificatesStep(waiting, others ? () => expectedOfOthers(parts, others) : expectedOf(request));
  const verify = verifyStep(waiting, { names, clusterFlags, project });
  const copy = copyCheckOf(waiting.cluster, request);
  const moving = movingOf(request);
  const guards = moving ? [caSecretGuard(waiting, moving)] : [];
  const current = [...(copy ? [currentCopyStep(copy)] : []), ...guards];
  const apply = [server, ...(moving ? [removeCaKeyStep(waiting, moving)] : [])];
  const start = [
    ...current,
    ...(others && caBundle === 'apisvc' ? trustOthers(parts, others) : []),
    ...apply,
    ...(others ? [others] : []),
    ...(deployment ? [rolloutStep(waiting, deployment)] : []),
    endpointsStep(waiting, metadata.namespace, spec.service.name),
  ];
  const end = [availableStep(waiting, names), verify, discoveryStep(waiting, names, () => isListed(verify.diagnosis()))];
  const { writes, results } =
    caBundle === 'apisvc'
      ? { writes: [...start, certificates, keepTrust(parts, certificates), api], results: end }
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

interface Parts {
  readonly waiting: Waiting;
  readonly request: RegisterRequest;
  readonly beforeWrite: BeforeWrite | undefined;
  readonly others: OthersSecretStep | undefined;
}

/** The Secret of others; undefined where apisvc signs, and where there is none. */
function othersSecret(waiting: Waiting, { registration, issued }: RegisterRequest): OthersSecretStep | undefined {
  const { secret, inProject } = responsibilitiesOf(registration);
  if (inProject || secret === 'nobody') return undefined;
  return othersSecretStep(waiting, { registration, fileAnchors: issued && inspect(caBundleOf(issued)).certificates });
}

function serverStep({ waiting, request: { registration, objects, forceConflicts }, beforeWrite }: Parts) {
  const serverObjects = objects.filter((object) => !isApiService(object));
  return applyStep(waiting, {
    id: 'apply-server',
    title: 'Applying the server',
    objects: serverObjects,
    complete: () => completeExistingDeployment(waiting.cluster, registration, serverObjects, waiting.signal),
    forceConflicts,
    beforeWrite,
  });
}

function apiStep(parts: Parts) {
  const { waiting, request, beforeWrite } = parts;
  const objects = request.objects.filter(isApiService);
  const isVerified = responsibilitiesOf(request.registration).caBundle !== 'nobody';
  return applyStep(waiting, {
    id: 'apply-apiservices',
    title: 'Registering the API',
    objects,
    complete: async () => apiServices(parts),
    completeOne: (wanted, found) => {
      const own = keepUnknownBundle(request.isPart ? bundleOnly(wanted, found) : wanted, found, parts);
      return isVerified ? verifyAgain(own, found) : own;
    },
    forceConflicts: request.forceConflicts,
    guard: async () =>
      (await takeoverFault(waiting.cluster, objects, waiting.signal)) ??
      handoverFault(waiting.cluster, request.registration, objects, waiting.signal),
    beforeWrite,
  });
}

/** The APIServices, with the CA of the Secret of others where apisvc writes the caBundle. */
function apiServices({ request, others }: Parts): readonly KubeObject[] {
  const objects = request.objects.filter(isApiService);
  const anchors = others?.certificate()?.anchors ?? [];
  return anchors.length === 0 ? objects : objects.map((object) => withBundle(object, anchors));
}

const withSpec = (object: KubeObject, change: object): KubeObject => ({ ...object, spec: { ...(object.spec as object), ...change } });

/** Before the Secret of others exists, a dry run does not know the next caBundle. */
function keepUnknownBundle(wanted: KubeObject, found: KubeObject | undefined, { others, request }: Parts): KubeObject {
  const isUnknown = others && responsibilitiesOf(request.registration).caBundle === 'apisvc' && !viewApiService(wanted).caBundle;
  const present = found && viewApiService(found).caBundle;
  return isUnknown && present ? withSpec(wanted, { caBundle: present }) : wanted;
}

function trustOthers({ waiting, request, beforeWrite }: Parts, others: OthersSecretStep): readonly Step[] {
  const trusting = {
    apiServices: request.objects.filter(isApiService),
    anchors: async () => (await others.look())?.anchors ?? [],
    forceConflicts: request.forceConflicts,
    beforeWrite,
  };
  const deployment = request.objects.find(isDeployment);
  return [
    trustOthersStep(waiting, trusting),
    othersUptakeStep(waiting, { ...trusting, deployment, secretName: secretName(request.registration) }),
  ];
}

function keepTrust(parts: Parts, certificates: CertificatesStep): Step {
  const { waiting, request } = parts;
  return trustStep(waiting, {
    unchecked: certificates.unchecked,
    namespace: request.registration.metadata.namespace,
    deployment: request.objects.find(isDeployment)?.metadata.name,
    apiServices: () => apiServices(parts),
  });
}

function placeOf({ registration, objects }: RegisterRequest) {
  const { name: service, port } = registration.spec.service;
  const deployment = objects.find(isDeployment)?.metadata.name;
  return { namespace: registration.metadata.namespace, service, port, deployment };
}

function expectedOf(request: RegisterRequest): ExpectedCertificate {
  const { issued } = request;
  const place = placeOf(request);
  // A server outside the cluster, or one that mounts its own Secret, may serve another certificate
  // that the caBundle accepts.
  const leaf = place.deployment && issued && inspect(issued.chain).certificates[0]?.fingerprint;
  return { ...place, caBundle: issued ? caBundleOf(issued) : '', leaf };
}

/** Others may renew the certificate, and write another caBundle, at any moment. */
async function expectedOfOthers({ waiting, request }: Parts, others: OthersSecretStep): Promise<ExpectedCertificate> {
  const certificate = (await others.look()) ?? others.certificate();
  const place = placeOf(request);
  const [name = ''] = apiServiceNames(request.registration);
  const own = responsibilitiesOf(request.registration).caBundle === 'apisvc';
  const anchors = own ? (certificate?.anchors ?? []) : await injectedInto(waiting, name);
  return { ...place, caBundle: bundleText(anchors), leaf: place.deployment && certificate?.presented[0]?.fingerprint };
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
  found && viewApiService(found).insecureSkipTLSVerify ? withSpec(wanted, { insecureSkipTLSVerify: false }) : wanted;
