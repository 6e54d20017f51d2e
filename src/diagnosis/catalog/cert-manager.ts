import type { CatalogEntry } from './entry.ts';

/** Faults of what cert-manager issues and injects. */
export const certManagerEntries = {
  'cert-manager/source-not-found': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The annotation {annotation} of APIService {name} names {kind} {value}, which does not exist',
    cause:
      "cert-manager's cainjector copies the CA of this object into the caBundle. It injects nothing if the object does not exist. The value of the annotation must be <namespace>/<name>.",
    fix: 'Create the {kind}, or correct the annotation: `kubectl edit apiservice {name}`',
  },
  'cert-manager/not-ready': {
    severity: 'error',
    hop: 'endpoint',
    title: 'cert-manager Certificate {certificate} is not ready',
    cause: '{why}',
    causes:
      'The issuer does not exist or is not ready, the CertificateRequest was denied or failed, or the cert-manager controller is not running. The finding shows the message from cert-manager.',
    fix: 'Resolve the problem that the message describes. To read all conditions: `kubectl -n {certNamespace} describe certificates,certificaterequests,issuers`. cert-manager retries a failed request after an hour. To retry now: `cmctl renew -n {certNamespace} {certName}`. In an apisvc project, this command waits until the Certificate is ready: `apisvc register`',
  },
  'cert-manager/renewal-failed': {
    severity: 'warning',
    hop: 'endpoint',
    title: 'cert-manager could not renew Certificate {certificate}',
    cause: 'The certificate is still valid, but its last renewal failed. cert-manager reports: {message}',
    fix: 'Resolve the problem that the message describes. To read all conditions: `kubectl -n {certNamespace} describe certificates,certificaterequests,issuers`. cert-manager retries after an hour or more. To retry now: `cmctl renew -n {certNamespace} {certName}`, or in an apisvc project: `apisvc rotate`',
  },
  'cert-manager/issuer-not-ready': {
    severity: 'warning',
    hop: 'endpoint',
    title: 'cert-manager cannot renew Certificate {certificate}: {problem}',
    cause: 'The certificate is still valid, but cert-manager cannot renew it until the issuer is ready. {why}',
    causes:
      'The certificate is still valid, but cert-manager cannot renew it until the issuer is ready. Either the issuer does not exist, or cert-manager cannot use it. The finding shows the message from cert-manager.',
    fix: 'Create or correct the issuer, or correct spec.issuerRef of the Certificate. To see the current state: `kubectl -n {certNamespace} describe certificates,issuers,clusterissuers`. If the issuer is part of an apisvc project, apply the project: `apisvc register`',
  },
  'cert-manager/name-missing': {
    severity: 'error',
    hop: 'endpoint',
    title: 'cert-manager Certificate {certificate} does not request the DNS name {host}',
    cause: 'kube-apiserver always verifies the name {host}. cert-manager issues a certificate only for the names in spec.dnsNames.',
    fix: 'Add {host} to spec.dnsNames of the Certificate: `kubectl -n {certNamespace} edit certificate {certName}`. In an apisvc project, run: `apisvc register`',
  },
  'cert-manager/secret-not-allowed': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: "Secret {value} does not allow cert-manager's cainjector to inject its CA into APIService {name}",
    cause:
      'For the annotation cert-manager.io/inject-ca-from-secret, the cainjector uses only Secrets with the annotation cert-manager.io/allow-direct-injection: "true".',
    fix: 'Add the annotation to the Secret: `kubectl -n {secretNamespace} annotate secret {secret} cert-manager.io/allow-direct-injection=true`',
  },
  'cert-manager/not-injected': {
    severity: 'error',
    differs: true,
    hop: 'kube-apiserver',
    title: "cert-manager's cainjector has not injected the CA of Secret {secret} into APIService {name}",
    cause: '{why}',
    causes:
      'The cainjector is not running, is not allowed to update APIServices, or rejects the Secret. Another tool may have overwritten the caBundle.',
    fix: 'Check that the cainjector is running, and read its log: `kubectl -n cert-manager logs deployment/cert-manager-cainjector`',
  },
  'cert-manager/old-ca': {
    severity: 'warning',
    hop: 'endpoint',
    title: 'cert-manager Certificate {certificate} is signed by an old CA of {issuer}',
    cause:
      'The CA of the issuer was replaced. cert-manager does not reissue the certificates that the old CA signed. If the cainjector uses the Secret of this Certificate, the caBundle gets the new CA only when the certificate is renewed.',
    fix: 'In an apisvc project, run: `apisvc rotate`. Otherwise, renew the certificate: `cmctl renew -n {certNamespace} {certName}`. With cert-manager 1.19 or newer, the cainjector keeps the old CA in the caBundle, so requests do not fail during the renewal.',
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
