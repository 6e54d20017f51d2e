import { responsibilitiesOf } from '../../config/responsibilities.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { viewApiService } from '../../snapshot/views.ts';
import { withBundle } from '../rotation/bundles.ts';
import type { Step } from '../runner.ts';
import { applyStep } from '../steps/apply.ts';
import type { CertificatesStep } from '../steps/certificates.ts';
import { handoverFault } from '../steps/handover.ts';
import { takeoverFault } from '../steps/takeover.ts';
import { trustStep } from '../steps/trust.ts';
import { verifyAgain } from '../verify-again.ts';
import { bundleOnly } from './parts.ts';
import { isApiService, isDeployment, type RegisterRun } from './request.ts';

/** Registers the API, or writes only the caBundle where another tool applies the rest. */
export function apiStep(run: RegisterRun) {
  const { waiting, request, beforeWrite } = run;
  const objects = request.objects.filter(isApiService);
  const isVerified = responsibilitiesOf(request.registration).caBundle !== 'nobody';
  return applyStep(waiting, {
    id: 'apply-apiservices',
    title: 'Registering the API',
    objects,
    complete: async () => apiServices(run),
    completeOne: (wanted, found) => {
      const own = keepUnknownBundle(request.isPart ? bundleOnly(wanted, found) : wanted, found, run);
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
function apiServices({ request, others }: RegisterRun): readonly KubeObject[] {
  const objects = request.objects.filter(isApiService);
  const anchors = others?.certificate()?.anchors ?? [];
  return anchors.length === 0 ? objects : objects.map((object) => withBundle(object, anchors));
}

/** Before the Secret of others exists, a dry run does not know the next caBundle. */
function keepUnknownBundle(wanted: KubeObject, found: KubeObject | undefined, { others, request }: RegisterRun): KubeObject {
  const isUnknown = others && responsibilitiesOf(request.registration).caBundle === 'apisvc' && !viewApiService(wanted).caBundle;
  const present = found && viewApiService(found).caBundle;
  return isUnknown && present ? { ...wanted, spec: { ...(wanted.spec as object), caBundle: present } } : wanted;
}

/** Refuses to replace a caBundle that works by one that does not. */
export function keepTrust(run: RegisterRun, certificates: CertificatesStep): Step {
  const { waiting, request } = run;
  return trustStep(waiting, {
    unchecked: certificates.unchecked,
    namespace: request.registration.metadata.namespace,
    deployment: request.objects.find(isDeployment)?.metadata.name,
    apiServices: () => apiServices(run),
  });
}
