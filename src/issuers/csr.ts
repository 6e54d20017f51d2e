import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { servingNames } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import { objectLabels, projectAnnotation, projectOf } from '../manifests/labels.ts';
import type { KubeObject } from '../manifests/types.ts';
import { subjectAltName } from '../pki/extensions.ts';
import { servingSubject } from '../pki/leaf.ts';
import { toPem } from '../pki/pem.ts';
import type { PrivateKey } from '../pki/private-key.ts';
import { distinguishedName, requestInfo, signRequest } from '../pki/x509.ts';
import { type Issuer, milliseconds } from './issuer.ts';

/**
 * A signer of the Kubernetes certificates API (certificates.k8s.io/v1). It signs when it likes, so
 * that operations/signer/ requests the certificate.
 */
export const csr: Issuer<'csr'> = {};

/** The signer that a registration names. @throws Error for another issuer: a defect of apisvc */
export function signerNameOf({ spec }: Registration): string {
  const { issuer } = spec.certificates;
  if (issuer.type !== 'csr') throw new Error(`the issuer "${issuer.type}" has no signer`);
  return issuer.signerName;
}

/**
 * The CertificateSigningRequest for a key. Its name depends on everything that the certificate is
 * to contain, so that the same request is found again, and another one has another name.
 */
export function signingRequest(registration: Registration, key: PrivateKey): KubeObject {
  const names = servingNames(registration);
  const { keyType, lifetime } = registration.spec.certificates;
  const subject = servingSubject(names);
  const info = requestInfo({
    subject: distinguishedName(subject),
    publicKey: createPublicKey(key.reveal()),
    extensions: [subjectAltName(names, subject.commonName === undefined)],
  });
  const spec = {
    signerName: signerNameOf(registration),
    expirationSeconds: Math.floor(milliseconds(lifetime) / 1000),
    // In TLS 1.2 without forward secrecy, RSA keys also decrypt the client's secret.
    usages: ['digital signature', ...(keyType.startsWith('rsa') ? ['key encipherment'] : []), 'server auth'],
  };
  const digest = createHash('sha256').update(info).update(JSON.stringify(spec)).digest('hex');
  const { metadata, spec: own } = registration;
  return {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: {
      name: `${metadata.namespace}-${own.service.name}-${digest.slice(0, 10)}`,
      labels: objectLabels(registration),
      annotations: { [projectAnnotation]: projectOf(registration) },
    },
    spec: {
      request: Buffer.from(toPem('CERTIFICATE REQUEST', signRequest(info, createPrivateKey(key.reveal())))).toString('base64'),
      ...spec,
    },
  };
}
