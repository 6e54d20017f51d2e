import { secretName } from '../../config/registration.ts';
import { responsibilitiesOf } from '../../config/responsibilities.ts';
import { caBundleOf } from '../../pki/anchors.ts';
import { inspect } from '../../pki/inspect.ts';
import type { Step } from '../runner.ts';
import { type OthersSecretStep, othersSecretStep } from '../steps/others-secret.ts';
import { othersUptakeStep, trustOthersStep } from '../steps/trust-others.ts';
import type { Waiting } from '../wait.ts';
import { isApiService, isDeployment, type RegisterRequest, type RegisterRun } from './request.ts';

/**
 * The Secret that others write with the serving certificate; undefined where apisvc signs, and
 * where there is none.
 */
export function othersSecret(waiting: Waiting, { registration, issued }: RegisterRequest): OthersSecretStep | undefined {
  const { secret, inProject } = responsibilitiesOf(registration);
  if (inProject || secret === 'nobody') return undefined;
  return othersSecretStep(waiting, { registration, fileAnchors: issued && inspect(caBundleOf(issued)).certificates });
}

/** Trusts the CA of the Secret of others, before the pods may get it. */
export function trustOthers({ waiting, request, beforeWrite }: RegisterRun, others: OthersSecretStep): readonly Step[] {
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
