import * as z from 'zod';
import { certManagerAnnotations } from '../manifests/cert-manager-annotations.ts';
import { certificateSchema } from '../pki/certificate-schema.ts';
import { observed, optional, texts } from './schema-parts.ts';

/** What cert-manager issues and injects for an APIService. */

export const certManagerCondition = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.string(),
  message: z.string(),
});

const conditions = z.array(certManagerCondition).describe('From status.conditions.');

const namespaced = { namespace: z.string(), name: z.string() };

const certificateRequestView = z.object({ ...namespaced, conditions });

/** An Issuer or a ClusterIssuer. */
export const certIssuerView = z.object({
  kind: z.string(),
  name: z.string(),
  conditions,
  ca: optional(observed(z.array(certificateSchema))).describe('Only for the type ca: the certificates in tls.crt of its Secret.'),
});

export const certManagerCertificateView = z.object({
  secretName: z.string(),
  dnsNames: texts,
  isCA: z.boolean(),
  conditions,
  failedAttempts: optional(z.number()).describe('From status.failedIssuanceAttempts. Absent since the last success.'),
  request: optional(observed(certificateRequestView)).describe('The newest CertificateRequest. Read only if the Certificate is not ready.'),
  issuerRef: optional(z.object({ kind: z.string(), name: z.string() })).describe('From spec.issuerRef.'),
  issuer: observed(certIssuerView),
});

/** The Secret whose `ca.crt` the cainjector copies. */
export const caSourceView = z.object({
  ...namespaced,
  allowsInjection: z.boolean().describe('Whether the Secret has the annotation cert-manager.io/allow-direct-injection: "true".'),
  certificateName: z.string().describe('The annotation cert-manager.io/certificate-name: the Certificate to which the Secret belongs.'),
  authorities: z.array(certificateSchema).describe('From ca.crt.'),
  certificates: z.array(certificateSchema).describe('From tls.crt.'),
});

export const injectorLeaseView = z.object({
  holder: z.string().describe('Empty after the cainjector has ended.'),
  renewed: z.string().describe('ISO 8601.'),
  durationSeconds: z.number(),
});

export const certManagerView = z.object({
  annotation: z.enum([certManagerAnnotations.fromCertificate, certManagerAnnotations.fromSecret]),
  value: z.string(),
  certificate: optional(observed(certManagerCertificateView)).describe('Only for inject-ca-from.'),
  secret: observed(caSourceView),
  lease: optional(observed(injectorLeaseView)).describe(
    'Lease kube-system/cert-manager-cainjector-leader-election. Read only if the caBundle differs from ca.crt.',
  ),
});
