import { apiServiceNames } from '../../config/registration.ts';
import { responsibilitiesOf } from '../../config/responsibilities.ts';
import { caBundleOf } from '../../pki/anchors.ts';
import { inspect } from '../../pki/inspect.ts';
import { bundleText } from '../rotation/bundles.ts';
import type { ExpectedCertificate } from '../steps/certificates.ts';
import { injectedInto } from '../steps/injected.ts';
import type { OthersSecretStep } from '../steps/others-secret.ts';
import { isDeployment, type RegisterRequest, type RegisterRun } from './request.ts';

/** The certificate that every endpoint must serve. Where others write it, each look asks again. */
export function expectedIn(run: RegisterRun): ExpectedCertificate | (() => Promise<ExpectedCertificate>) {
  const { others } = run;
  return others ? () => expectedOfOthers(run, others) : expectedOf(run.request);
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
async function expectedOfOthers({ waiting, request }: RegisterRun, others: OthersSecretStep): Promise<ExpectedCertificate> {
  const certificate = (await others.look()) ?? others.certificate();
  const place = placeOf(request);
  const [name = ''] = apiServiceNames(request.registration);
  const own = responsibilitiesOf(request.registration).caBundle === 'apisvc';
  const anchors = own ? (certificate?.anchors ?? []) : await injectedInto(waiting, name);
  return { ...place, caBundle: bundleText(anchors), leaf: place.deployment && certificate?.presented[0]?.fingerprint };
}

function placeOf({ registration, objects }: RegisterRequest) {
  const { name: service, port } = registration.spec.service;
  const deployment = objects.find(isDeployment)?.metadata.name;
  return { namespace: registration.metadata.namespace, service, port, deployment };
}
