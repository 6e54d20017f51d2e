import { certManagerAnnotations } from '../../manifests/cert-manager-annotations.ts';
import { chainsToRoots } from '../../pki/chains.ts';
import { matchesHostname } from '../../pki/hostname.ts';
import { checkServing as servingFaults } from '../../pki/trust.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { injectorLease, isInjected, isReady, refusalIn } from '../../snapshot/cert-manager-view.ts';
import type { CaSourceView, CertManagerCertificateView, CertManagerCondition, CertManagerView } from '../../snapshot/types.ts';
import type { Observation } from '../types.ts';
import { asWarning, type Check, type CheckContext, observation, seen, works } from './check.ts';
import { aboutAnnotation, annotationLine } from './injectors.ts';
import { servedBy } from './served-certificates.ts';

/** What cert-manager issues, and what its cainjector copies into the caBundle. */
export const checkCertManager: Check = (context) => {
  const { certManager } = context.snapshot;
  if (!certManager) return [];
  const found = [...checkSource(context, certManager), ...checkIssued(context, certManager)];
  return works(context) && !isServedInVain(context) ? found.map(asWarning) : found;
};

/** Whether kube-apiserver only works by connections that it has kept. */
const isServedInVain = (context: CheckContext): boolean => {
  const { host: hostname = '', roots, now } = context;
  const failures = servedBy(context).flatMap(({ presented }) => servingFaults({ presented, roots, hostname, now }));
  return failures.some(({ kind }) => ['unknown-authority', 'name-mismatch', 'expired'].includes(kind));
};

/** The first reason why the caBundle is not the one that the annotation requests. */
function checkSource(context: CheckContext, certManager: CertManagerView): readonly Observation[] {
  const { annotation, value, certificate, secret } = certManager;
  const evidence = [annotationLine(certManager)];
  if (certificate?.state === 'absent' || (!certificate && secret.state === 'absent')) {
    const args = { annotation, value, kind: certificate ? 'Certificate' : 'Secret' };
    return [{ ...observation('cert-manager/source-not-found', evidence, args), about: aboutAnnotation(context.api, annotation) }];
  }
  const issued = certificate && seen(certificate);
  if (issued && !isReady(issued.conditions)) return [notReady(value, issued)];
  const source = seen(secret);
  if (!source) return [];
  if (!certificate && !source.allowsInjection)
    return [observation('cert-manager/secret-not-allowed', evidence, { value, secretNamespace: source.namespace, secret: source.name })];
  if (isInjected(context.api, source)) return [];
  const { why, seenOf } = whyNotInjected(context, certManager, source);
  const secretName = `${source.namespace}/${source.name}`;
  const authorities = source.authorities.map(
    ({ subject, fingerprint }) => `ca.crt of Secret ${secretName}: ${subject}, SHA-256 ${fingerprint}`,
  );
  return [observation('cert-manager/not-injected', [...evidence, ...authorities, ...seenOf], { secret: secretName, why })];
}

const namesIn = (value: string) => ({
  certNamespace: value.slice(0, value.indexOf('/')),
  certName: value.slice(value.indexOf('/') + 1),
});

const conditionLine = (of: string, { type, status, reason, message }: CertManagerCondition): string =>
  `${of}: ${type}=${status} (${reason}): ${message}`;

function notReady(value: string, { conditions, request, issuer }: CertManagerCertificateView): Observation {
  const asked = request && seen(request);
  const by = seen(issuer);
  const lines = [
    ...conditions.map((each) => conditionLine(`Certificate ${value}`, each)),
    ...(asked?.conditions ?? []).map((each) => conditionLine(`CertificateRequest ${asked?.namespace}/${asked?.name}`, each)),
    ...(by?.conditions ?? []).map((each) => conditionLine(`${by?.kind} ${by?.name}`, each)),
  ];
  const told = [refusalIn(asked?.conditions), refusalIn(by?.conditions), refusalIn(conditions)].find((each) => each !== undefined);
  const why = told
    ? `cert-manager reports: ${told.message}`
    : 'No condition of the Certificate says why. The cert-manager controller may not be running.';
  return observation('cert-manager/not-ready', lines.length > 0 ? lines : [`Certificate ${value}: no conditions`], {
    certificate: value,
    why,
    ...namesIn(value),
  });
}

interface NotInjected {
  readonly why: string;
  readonly seenOf: readonly string[];
}

function whyNotInjected({ now }: CheckContext, { certificate, value, lease }: CertManagerView, source: CaSourceView): NotInjected {
  const { certificateName, authorities } = source;
  if (certificate && certificateName !== namesIn(value).certName) {
    return {
      why: 'The cainjector ignores the Secret, because cert-manager did not write it for this Certificate.',
      seenOf: [`annotation ${certManagerAnnotations.certificateName} of the Secret: ${certificateName || 'none'}`],
    };
  }
  if (authorities.length === 0) {
    return {
      why: 'The Secret has no CA in ca.crt. Some issuers, such as ACME issuers, do not provide one.',
      seenOf: ['ca.crt: no certificate'],
    };
  }
  const name = `Lease ${injectorLease.namespace}/${injectorLease.name}`;
  if (lease?.state === 'absent') {
    return {
      why: 'The cainjector is not running, or has its Lease in a namespace other than kube-system.',
      seenOf: [`${name} does not exist`],
    };
  }
  const held = lease && seen(lease);
  if (!held)
    return {
      why: 'The cainjector is not running or is not allowed to update APIServices, or another tool changed the caBundle.',
      seenOf: [],
    };
  const seenOf = [`${name}: ${held.holder === '' ? 'no holder' : `holder ${held.holder}`}, renewed at ${held.renewed}`];
  const isStale = now.getTime() - Date.parse(held.renewed) > 2_000 * held.durationSeconds;
  return held.holder === '' || isStale
    ? { why: 'The cainjector is not running: its Lease is no longer renewed.', seenOf }
    : { why: 'The cainjector is running. Either it is not allowed to update APIServices, or another tool changed the caBundle.', seenOf };
}

/** What is wrong with the certificate itself. */
function checkIssued(context: CheckContext, certManager: CertManagerView): readonly Observation[] {
  const { certificate, value } = certManager;
  const issued = certificate && seen(certificate);
  if (!issued) return [];
  return [
    ...renewalFailed(issued, value),
    ...issuerNotReady(issued, value),
    ...(issued.isCA ? oldCaOfServed(context, certManager) : checkServing(context, certManager, issued)),
  ];
}

/** A renewal that failed while the certificate is still valid. */
function renewalFailed({ conditions, failedAttempts }: CertManagerCertificateView, value: string): readonly Observation[] {
  const issuing = conditions.find(({ type }) => type === 'Issuing');
  if (failedAttempts === undefined || issuing?.status !== 'False' || !isReady(conditions)) return [];
  const evidence = [conditionLine(`Certificate ${value}`, issuing), `failed attempts: ${failedAttempts}`];
  return [observation('cert-manager/renewal-failed', evidence, { certificate: value, message: issuing.message, ...namesIn(value) })];
}

/** An issuer that is gone, or does not work, which matters only at the next renewal. */
function issuerNotReady({ conditions, issuer, issuerRef }: CertManagerCertificateView, value: string): readonly Observation[] {
  if (!isReady(conditions)) return [];
  const by = seen(issuer);
  const told = refusalIn(by?.conditions);
  if (issuer.state !== 'absent' && !told) return [];
  const name = issuerRef ? `${issuerRef.kind} ${issuerRef.name}` : 'its issuer';
  const issuing = conditions.find(({ type, status }) => type === 'Issuing' && status === 'True');
  const evidence = [
    told ? conditionLine(name, told) : `spec.issuerRef of the Certificate: ${name}`,
    ...(issuing ? [conditionLine(`Certificate ${value}`, issuing)] : []),
  ];
  const why = told ? `cert-manager reports: ${told.message}` : `Certificate ${value} names ${name}, which does not exist.`;
  const args = { certificate: value, problem: `${name} ${told ? 'is not ready' : 'does not exist'}`, why };
  return [observation('cert-manager/issuer-not-ready', evidence, { ...args, ...namesIn(value) })];
}

/** The Certificate of the serving certificate. */
function checkServing(
  { host }: CheckContext,
  { value, secret }: CertManagerView,
  issued: CertManagerCertificateView,
): readonly Observation[] {
  const names = { certificate: value, ...namesIn(value) };
  const { dnsNames } = issued;
  const hasName = host === undefined || matchesHostname({ dnsNames, ipAddresses: [] }, host);
  return [
    ...(hasName
      ? []
      : [observation('cert-manager/name-missing', [`spec.dnsNames of the Certificate: ${dnsNames.join(', ') || 'none'}`], names)]),
    ...oldCa(issued, seen(secret), names),
  ];
}

/**
 * The serving certificate of another Certificate, where the APIService names the one of the CA: the
 * CA in its Secret has the name of the issuer, but another key.
 */
function oldCaOfServed(context: CheckContext, { value, secret }: CertManagerView): readonly Observation[] {
  const [signer] = seen(secret)?.certificates ?? [];
  const own = seen(context.snapshot.secret);
  const namespace = context.api.service?.namespace;
  if (!signer || own?.certificateName === undefined) return [];
  const old = servedBy(context).filter(({ presented: [leaf, ...others] }) =>
    leaf ? chainsToRoots(leaf, others, [signer]).every(({ missing }) => missing?.reason === 'other-key') : false,
  );
  const [leaf, ...others] = old[0]?.presented ?? [];
  if (!leaf) return [];
  const isTrusted = chainsToRoots(leaf, others, context.roots).some(({ missing }) => !missing);
  const certificate = `${namespace}/${own.certificateName}`;
  const found = signedByOther(leaf, signer, { certificate, ...namesIn(certificate), issuer: `Certificate ${value}` });
  return [{ ...found, at: old.map(({ at }) => at), ...(isTrusted ? {} : { severity: 'error' as const }) }];
}

function oldCa(
  { issuer }: CertManagerCertificateView,
  source: CaSourceView | undefined,
  names: Readonly<Record<string, string>>,
): readonly Observation[] {
  const by = seen(issuer);
  const [signer] = (by?.ca && seen(by.ca)) ?? [];
  const [leaf] = source?.certificates ?? [];
  if (!by || !signer || !leaf || chainsToRoots(leaf, [], [signer]).some(({ missing }) => !missing)) return [];
  return [signedByOther(leaf, signer, { ...names, issuer: `${by.kind} ${by.name}` })];
}

function signedByOther(
  leaf: CertificateInfo,
  signer: CertificateInfo,
  args: Readonly<Record<string, string>> & { readonly issuer: string },
): Observation {
  const evidence = [
    `CA of ${args.issuer}: ${signer.subject}, SHA-256 ${signer.fingerprint}`,
    `certificate: issued by ${leaf.issuer}, SHA-256 ${leaf.fingerprint}`,
  ];
  return observation('cert-manager/old-ca', evidence, args);
}
