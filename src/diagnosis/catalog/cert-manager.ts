import type { CatalogEntry } from './entry.ts';

/** Faults of what cert-manager issues and injects. */
export const certManagerEntries = {
  'cert-manager/source-not-found': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The annotation {annotation} of APIService {name} names {kind} {value}, which does not exist',
    cause:
      "cert-manager's cainjector copies the CA of this object into the caBundle. It injects nothing if the object does not exist. The value must be <namespace>/<name>.",
    fix: 'Create the {kind}, or correct the annotation: `kubectl edit apiservice {name}`',
  },
  'cert-manager/not-ready': {
    severity: 'error',
    hop: 'endpoint',
    title: 'Certificate {certificate} of cert-manager is not ready',
    cause: '{why}',
    causes:
      'The issuer does not exist or is not ready, the CertificateRequest was denied or failed, or the controller of cert-manager is not running. The finding shows the message of cert-manager.',
    fix: 'Resolve the problem that the message describes. To read all conditions: `kubectl -n {certNamespace} describe certificates,certificaterequests,issuers`. cert-manager retries a failed request after an hour. To retry now: `cmctl renew -n {certNamespace} {certName}`. In an apisvc project, wait for the certificate: `apisvc register`',
  },
  'cert-manager/renewal-failed': {
    severity: 'warning',
    hop: 'endpoint',
    title: 'cert-manager could not renew Certificate {certificate}',
    cause: 'The certificate is still valid, but its last renewal failed. cert-manager reports: {message}',
    fix: 'Resolve the problem that the message describes. To read all conditions: `kubectl -n {certNamespace} describe certificates,certificaterequests,issuers`. cert-manager retries after an hour or more. To retry now: `cmctl renew -n {certNamespace} {certName}`. In an apisvc project: `apisvc rotate`',
  },
  'cert-manager/issuer-not-ready': {
    severity: 'warning',
    hop: 'endpoint',
    title: 'cert-manager cannot renew Certificate {certificate}: {issuer} {state}',
    cause: 'The certificate is still valid, but every renewal waits for its issuer. {why}',
    causes:
      'The certificate is still valid, but every renewal waits for its issuer. The issuer was deleted, or cert-manager cannot use it. The finding shows the message of cert-manager.',
    fix: 'Create or correct the issuer, or correct spec.issuerRef of the Certificate: `kubectl -n {certNamespace} describe certificates,issuers,clusterissuers`. If an apisvc project creates the issuer: `apisvc register`',
  },
  'cert-manager/name-missing': {
    severity: 'error',
    hop: 'endpoint',
    title: 'Certificate {certificate} of cert-manager does not request the name {host}',
    cause: 'kube-apiserver always verifies the name {host}. cert-manager issues a certificate only for the names in spec.dnsNames.',
    fix: 'Add {host} to spec.dnsNames of the Certificate: `kubectl -n {certNamespace} edit certificate {certName}`. In an apisvc project: `apisvc register`',
  },
  'cert-manager/secret-not-allowed': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: "Secret {value} does not allow cert-manager's cainjector to inject its CA into APIService {name}",
    cause:
      'For the annotation cert-manager.io/inject-ca-from-secret, the cainjector uses only Secrets with the annotation cert-manager.io/allow-direct-injection: "true".',
    fix: '`kubectl -n {secretNamespace} annotate secret {secret} cert-manager.io/allow-direct-injection=true`',
  },
  'cert-manager/not-injected': {
    severity: 'error',
    differs: true,
    hop: 'kube-apiserver',
    title: "cert-manager's cainjector has not injected the CA of Secret {secret} into APIService {name}",
    cause: '{why}',
    causes:
      'The cainjector is not running, is not allowed to update APIServices, or refuses the Secret. Another tool may have overwritten the caBundle.',
    fix: 'Check that the cainjector runs, and read its log: `kubectl -n cert-manager logs deployment/cert-manager-cainjector`',
  },
  'cert-manager/old-ca': {
    severity: 'warning',
    hop: 'endpoint',
    title: 'Certificate {certificate} of cert-manager is signed by an earlier CA of {issuer}',
    cause:
      'The CA of the issuer was replaced. cert-manager does not reissue certificates for that. The caBundle gets the new CA when the certificate is renewed.',
    fix: 'In an apisvc project: `apisvc rotate`. Otherwise, renew the certificate: `cmctl renew -n {certNamespace} {certName}`. Since cert-manager 1.19, the cainjector keeps the earlier CA in the caBundle, so that no request fails.',
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
