/**
 * The annotations of cert-manager (github.com/cert-manager/cert-manager,
 * pkg/apis/certmanager/v1/types.go).
 */
export const certManagerAnnotations = {
  /** Of an object with a caBundle: `<namespace>/<name>` of the Certificate whose CA it gets. */
  fromCertificate: 'cert-manager.io/inject-ca-from',
  /** The same of a Secret. The cainjector prefers it. */
  fromSecret: 'cert-manager.io/inject-ca-from-secret',
  fromApiServer: 'cert-manager.io/inject-apiserver-ca',
  /** Of a Secret of no Certificate: whether the cainjector may copy it. */
  allowInjection: 'cert-manager.io/allow-direct-injection',
  /** Of a Secret or a CertificateRequest. */
  certificateName: 'cert-manager.io/certificate-name',
  revision: 'cert-manager.io/certificate-revision',
} as const;
