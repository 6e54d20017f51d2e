import { getObject } from '../cluster/objects.ts';
import { serverNameOf } from '../config/registration.ts';
import { responsibilitiesOf } from '../config/responsibilities.ts';
import type { Registration } from '../config/schema.ts';
import { RefusedError } from '../errors.ts';
import type { IssuerContext } from '../issuers/issuer.ts';
import { secretEntry } from '../manifests/secret.ts';
import { certificateFaultText } from '../pki/certificate-faults.ts';
import { inspect } from '../pki/inspect.ts';
import type { CertificateInfo, ServingNames } from '../pki/types.ts';
import { servingFaults } from '../project/certificates.ts';
import { isKeyOf } from './certificate-in-cluster.ts';
import { secretRef } from './rotation/live.ts';

/** A serving certificate that others wrote into a Secret. */
export interface OthersCertificate {
  /** The leaf first. */
  readonly presented: readonly CertificateInfo[];
  /** The CAs that verify it. Empty where others write the caBundle too. */
  readonly anchors: readonly CertificateInfo[];
}

export interface OthersSecret extends IssuerContext {
  /** The CAs of spec.certificates.issuer.caBundleFile; undefined: those in ca.crt. */
  readonly fileAnchors: readonly CertificateInfo[] | undefined;
  readonly now: Date;
}

/**
 * Reads the Secret that others write, and checks that its certificate fits: the name of the
 * Service, the key, the dates, and the CA where apisvc writes the caBundle.
 * @returns undefined while the Secret has no certificate
 * @throws RefusedError with every reason why the certificate cannot be used; as `getObject`
 */
export async function readOthersSecret({
  cluster,
  registration,
  fileAnchors,
  now,
  signal,
}: OthersSecret): Promise<OthersCertificate | undefined> {
  const ref = secretRef({ registration });
  const name = `Secret ${ref.namespace}/${ref.name}`;
  const secret = await getObject(cluster, ref, signal);
  const presented = secret ? inspect(secretEntry(secret, 'tls.crt')).certificates : [];
  const [leaf] = presented;
  if (!secret || !leaf) return undefined;
  const key = isKeyOf(leaf, secretEntry(secret, 'tls.key')) ? [] : [`tls.key in ${name} is not the private key of tls.crt`];
  const own = responsibilitiesOf(registration).caBundle === 'apisvc';
  const inSecret = inspect(secretEntry(secret, 'ca.crt')).certificates;
  const anchors = own ? (fileAnchors ?? inSecret) : [];
  if (own && anchors.length === 0) {
    throw new RefusedError(`${name} has no CA certificate in ca.crt, so apisvc cannot write the caBundle`, {
      fix: 'Save the CA certificates in a file, and set spec.certificates.issuer.caBundleFile in apisvc.yaml to its path.',
    });
  }
  const names = { caCertificate: fileAnchors ? 'the caBundleFile' : `ca.crt in ${name}`, caKey: '', certificate: name, key: name };
  const faults = servingFaults(presented, anchors, requiredNames(registration), now).filter(
    ({ code }) => own || code !== 'unknown-authority',
  );
  const reasons = [...key, ...faults.map((fault) => certificateFaultText(fault, names))];
  if (reasons.length > 0) throw unfit(registration, name, { reasons, hasFile: fileAnchors !== undefined });
  return { presented, anchors };
}

/**
 * Others need not know the short names that apisvc adds for clients in the cluster. kube-apiserver
 * verifies one name.
 */
function requiredNames({ metadata, spec }: Registration): ServingNames {
  const { dnsNames, ipAddresses } = spec.certificates;
  return { dns: [serverNameOf({ namespace: metadata.namespace, name: spec.service.name }), ...dnsNames], ip: ipAddresses };
}

interface Unfit {
  readonly reasons: readonly string[];
  /** Whether the CA comes from the caBundleFile. */
  readonly hasFile: boolean;
}

function unfit(registration: Registration, name: string, { reasons, hasFile }: Unfit): RefusedError {
  const { secret } = responsibilitiesOf(registration);
  const way = `Let it write a correct certificate${hasFile ? ', or correct the CA in the caBundleFile' : ''}`;
  return new RefusedError(`the certificate in ${name} cannot be used:\n${reasons.map((reason) => `  ${reason}`).join('\n')}`, {
    fix: `${secret === 'apisvc' ? 'Replace the Secret' : `${capital(secret)} writes the Secret. ${way}`}, and run the same command again.`,
  });
}

const capital = (text: string): string => (text.startsWith('another') ? `A${text.slice(1)}` : text);
