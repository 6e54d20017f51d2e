import bootstrapTemplate from '../../templates/manifests/cert-manager-bootstrap.yaml';
import caTemplate from '../../templates/manifests/cert-manager-ca.yaml';
import issuerTemplate from '../../templates/manifests/cert-manager-issuer.yaml';
import servingTemplate from '../../templates/manifests/cert-manager-serving.yaml';
import { parseDuration } from '../config/duration.ts';
import { secretName, servingNames } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import { metadataEdits } from './labels.ts';
import { type Edits, fillTemplate } from './template.ts';
import type { Manifest } from './types.ts';

type KeyType = Registration['spec']['certificates']['keyType'];

/** The fields of a private key (cert-manager.io/v1, CertificatePrivateKey). */
const privateKeys: Readonly<Record<KeyType, { readonly algorithm: 'ECDSA' | 'RSA'; readonly size: number }>> = {
  'ecdsa-p256': { algorithm: 'ECDSA', size: 256 },
  'ecdsa-p384': { algorithm: 'ECDSA', size: 384 },
  'rsa-2048': { algorithm: 'RSA', size: 2048 },
  'rsa-3072': { algorithm: 'RSA', size: 3072 },
  'rsa-4096': { algorithm: 'RSA', size: 4096 },
};

/** The name of the Certificate with the serving certificate: the one of its Secret. */
export const certificateName = secretName;

/**
 * The objects of cert-manager: the Certificate with the serving certificate. Without an issuer of
 * the user also a CA of this server, as the Helm charts of DNS webhooks have it
 * (github.com/cert-manager/webhook-example, templates/pki.yaml).
 */
export function certManagerManifests(registration: Registration): Manifest[] {
  const { issuer } = registration.spec.certificates;
  if (issuer.type !== 'cert-manager') return [];
  return [...(issuer.issuerRef ? [] : caManifests(registration)), servingManifest(registration, issuer.issuerRef)];
}

const named = (registration: Registration, name: string): Edits => ({
  ...metadataEdits(registration, name),
  'metadata.namespace': registration.metadata.namespace,
});

const keyEdits = ({ spec }: Registration): Edits => {
  const { algorithm, size } = privateKeys[spec.certificates.keyType];
  return { 'spec.privateKey.algorithm': algorithm, 'spec.privateKey.size': size };
};

/** The name of the Certificate of the CA, of its Secret, and of the Issuer that signs with it. */
export const caName = ({ metadata }: Registration): string => `${metadata.name}-ca`;

function caManifests(registration: Registration): Manifest[] {
  const name = caName(registration);
  const bootstrap = `${registration.metadata.name}-selfsigned`;
  return [
    fillTemplate(bootstrapTemplate, '042-issuer-selfsigned.yaml', named(registration, bootstrap)),
    fillTemplate(caTemplate, '043-certificate-ca.yaml', {
      ...named(registration, name),
      ...keyEdits(registration),
      // At most 64 characters (RFC 5280, ub-common-name).
      'spec.commonName': name.slice(0, 64),
      'spec.secretName': name,
      'spec.issuerRef.name': bootstrap,
    }),
    fillTemplate(issuerTemplate, '044-issuer-ca.yaml', { ...named(registration, name), 'spec.ca.secretName': name }),
  ];
}

type IssuerRef = Extract<Registration['spec']['certificates']['issuer'], { type: 'cert-manager' }>['issuerRef'];

function servingManifest(registration: Registration, issuerRef: IssuerRef): Manifest {
  const { dns, ip } = servingNames(registration);
  return fillTemplate(servingTemplate, '045-certificate-serving.yaml', {
    ...named(registration, certificateName(registration)),
    ...keyEdits(registration),
    'spec.secretName': secretName(registration),
    'spec.duration': goDuration(registration.spec.certificates.lifetime),
    'spec.dnsNames': dns,
    'spec.ipAddresses': ip,
    ...(issuerRef ? { 'spec.issuerRef': { ...issuerRef } } : { 'spec.issuerRef.name': caName(registration) }),
  });
}

/** A duration as Go writes it (time.Duration), in hours or seconds. It has no days. */
function goDuration(text: string): string {
  const seconds = Math.floor((parseDuration(text) ?? 0) / 1_000);
  return seconds % 3_600 === 0 ? `${seconds / 3_600}h` : `${seconds}s`;
}
