import { certManagerAnnotations } from '../../manifests/cert-manager-annotations.ts';
import { matchesHostname } from '../../pki/hostname.ts';
import type { RelatedView } from '../../snapshot/types.ts';
import type { Observation } from '../types.ts';
import { type Check, type CheckContext, observation } from './check.ts';
import { aboutAnnotation, injectorsOf } from './injectors.ts';

/**
 * Serving certificates that the files do not contain: those that cert-manager issues, or that the
 * server generates.
 */
export const checkCertificatesInFiles: Check = (context) => {
  const { related } = context.snapshot;
  if (!related || context.api.insecureSkipTLSVerify) return [];
  return [...checkInjection(context, related), ...checkNames(context, related), ...checkOwnCertificate(context, related)];
};

/** The name of a workload in texts. */
export const workloadText = ({ kind, namespace, name }: NonNullable<RelatedView['workload']>): string => `${kind} ${namespace}/${name}`;

/**
 * Without a similar Certificate in the files, the named one may be elsewhere: see `notCheckedOf`.
 */
function checkInjection({ api }: CheckContext, { missingCertificate }: RelatedView): readonly Observation[] {
  if (missingCertificate?.near === undefined) return [];
  const { value, near, why } = missingCertificate;
  const about = aboutAnnotation(api, certManagerAnnotations.fromCertificate);
  return [{ ...observation('bundle/no-such-certificate', [why], { value, near }), about }];
}

function checkNames({ host }: CheckContext, { certificate }: RelatedView): readonly Observation[] {
  if (!host || !certificate) return [];
  const { namespace, name, dnsNames } = certificate;
  if (matchesHostname({ dnsNames, ipAddresses: [] }, host)) return [];
  const evidence = [`spec.dnsNames of the Certificate: ${dnsNames.join(', ') || 'none'}`, `expected name: ${host}`];
  const observed = observation('cert/san-mismatch', evidence, { endpoints: `Certificate ${namespace}/${name}` });
  return [{ ...observed, about: { kind: 'Certificate', namespace, name, path: ['spec', 'dnsNames'] } }];
}

/** A server that generates its certificate can only be trusted if it sets the caBundle too. */
function checkOwnCertificate({ api }: CheckContext, { workload, writers }: RelatedView): readonly Observation[] {
  const trusted = api.caBundle !== '' || injectorsOf(api).length > 0;
  if (!trusted || workload?.ownCertificate === undefined || writers.length > 0) return [];
  const { kind, namespace, name, ownCertificate } = workload;
  const evidence = [`flags of the server: ${ownCertificate}, without --tls-cert-file and --tls-private-key-file`];
  const observed = observation('cert/self-generated', evidence, { endpoints: workloadText(workload) });
  return [{ ...observed, about: { kind, namespace, name, path: ['spec'] } }];
}
