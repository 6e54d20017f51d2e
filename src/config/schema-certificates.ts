import * as z from 'zod';
import { keyTypes } from '../pki/types.ts';
import { clusterTrustBundleName, dns1123Subdomain, signerName } from './names.ts';
import { absolutePath, dnsName, duration, ip, name } from './schema-parts.ts';

const caBundleFile = z
  .string()
  .min(1)
  .optional()
  .describe('PEM file with the CA certificates that verify the serving certificate, relative to apisvc.yaml.');

const selfSigned = z
  .strictObject({
    type: z.literal('self-signed').describe('apisvc creates a CA for this server only, in certs/.'),
    caLifetime: duration.default('3650d').describe('How long the CA is valid.'),
    nameConstraints: z.boolean().default(true).describe('Limits the CA to the names of this server (RFC 5280 4.2.1.10).'),
    caKey: z
      .enum(['file', 'secret'])
      .default('file')
      .describe('Where the private key of the CA is kept: file (certs/ca.key), or secret (a Secret that register writes).'),
    caSecretName: name(dns1123Subdomain)
      .optional()
      .describe('Name of the Secret with the CA (type kubernetes.io/tls), if caKey is secret. Defaults to <service name>-ca.'),
  })
  .describe('A CA that apisvc creates for this server only.');

const existingCa = z
  .strictObject({ type: z.literal('ca').describe('Your own CA. apisvc does not copy the private key of the CA.') })
  .describe('Your own CA.');

const existingSecret = z
  .strictObject({
    type: z.literal('existing-secret').describe('Another tool writes the Secret that spec.certificates.secretName names.'),
    caBundleFile: caBundleFile.describe(
      'PEM file with the CA certificates that verify the serving certificate, relative to apisvc.yaml. Default: ca.crt in the Secret.',
    ),
  })
  .describe('A Secret that another tool writes. apisvc only writes the caBundle.');

const issuerRef = z.strictObject({
  name: name(dns1123Subdomain).describe('Name of the issuer.'),
  kind: z
    .string()
    .regex(/^[A-Z][A-Za-z0-9]*$/, { error: 'must be a kind, for example ClusterIssuer' })
    .default('Issuer')
    .describe('Kind of the issuer: Issuer, ClusterIssuer, or a kind of the API group in group.'),
  group: name(dns1123Subdomain).default('cert-manager.io').describe('API group of the issuer.'),
});

const certManager = z
  .strictObject({
    type: z.literal('cert-manager').describe('The certificate is issued by cert-manager, which also writes the Secret and the caBundle.'),
    issuerRef: issuerRef
      .optional()
      .describe(
        'Issuer that signs the serving certificate. Default: a CA for this server only, which apisvc creates with cert-manager objects.',
      ),
  })
  .describe('cert-manager.');

const csr = z
  .strictObject({
    type: z.literal('csr').describe('A signer of the Kubernetes certificates API signs the certificate.'),
    signerName: name(signerName).describe('Signer that signs the CertificateSigningRequest, for example example.com/serving.'),
    caBundleFile: caBundleFile.describe(
      'PEM file with the CA certificates of the signer, relative to apisvc.yaml. Set either caBundleFile or clusterTrustBundle.',
    ),
    clusterTrustBundle: name(clusterTrustBundleName).optional().describe('ClusterTrustBundle with the CA certificates of the signer.'),
  })
  .describe('A signer of the Kubernetes certificates API.');

const openshift = z
  .strictObject({
    type: z.literal('openshift-service-ca').describe("OpenShift's service CA operator writes the Secret and the caBundle."),
  })
  .describe("OpenShift's service CA operator.");

const insecure = z
  .strictObject({
    type: z.literal('insecure').describe('No verification: kube-apiserver accepts every certificate (insecureSkipTLSVerify).'),
  })
  .describe('No verification.');

const issuers = [selfSigned, existingCa, existingSecret, certManager, csr, openshift, insecure] as const;

/** The values of `spec.certificates.issuer.type`. */
export type IssuerType = z.infer<(typeof issuers)[number]>['type'];

/** `spec.certificates` */
export const certificates = z.strictObject({
  issuer: z
    .discriminatedUnion('type', issuers)
    .prefault({ type: 'self-signed' })
    .describe('Where the serving certificate comes from. The type determines which other fields are allowed.'),
  keyType: z.enum(keyTypes).default('ecdsa-p256').describe('Type of the private keys that apisvc generates.'),
  lifetime: duration.default('365d').describe('How long the serving certificate is valid.'),
  clusterDomain: name(dns1123Subdomain)
    .default('cluster.local')
    .describe('DNS domain of the cluster. The serving certificate is also valid for <service>.<namespace>.svc.<clusterDomain>.'),
  dnsNames: z.array(dnsName).default([]).describe('Additional DNS names in the serving certificate.'),
  ipAddresses: z.array(ip).default([]).describe('IP addresses in the serving certificate.'),
  secretName: name(dns1123Subdomain)
    .optional()
    .describe('Name of the Secret with the serving certificate (type kubernetes.io/tls). Defaults to <service name>-tls.'),
  mountPath: absolutePath.default('/var/run/serving-cert').describe('Directory in the container where the Secret is mounted.'),
  files: z
    .strictObject({
      cert: z.string().min(1).default('tls.crt').describe('File name of the certificate.'),
      key: z.string().min(1).default('tls.key').describe('File name of the private key.'),
    })
    .prefault({})
    .describe('File names in mountPath, for servers that expect fixed names.'),
  flags: z
    .enum(['equals', 'separate', 'none'])
    .default('equals')
    .describe('Form of the certificate flags: --tls-cert-file=FILE (equals), --tls-cert-file FILE (separate), or no flags (none).'),
});
