import { inDirectory, newKeysCommand } from './project-commands.ts';
import type { IssuerType } from './schema-certificates.ts';

/** Who makes or writes something, as messages call them. */
export type Party = 'apisvc' | 'another tool' | 'cert-manager' | "OpenShift's service CA operator" | 'the server' | 'nobody';

/** Why `rotate` refuses, and the way to a new certificate. */
export interface RotationRefusal {
  readonly why: string;
  readonly way: string;
}

/** Who does what for the certificate of one issuer type. */
export interface Responsibilities {
  /** What the issuer means, in one line. */
  readonly meaning: string;
  /** Who makes the private key of the serving certificate. */
  readonly key: Party;
  /** Who writes the Secret with the serving certificate. */
  readonly secret: Party;
  /** Who writes the caBundle of the APIServices. */
  readonly caBundle: Party;
  /** Whether certs/ holds the CA, the certificate and its key. */
  readonly inProject: boolean;
  /** Whether a signer in the cluster signs, so that only `register` and `rotate` can ask for it. */
  readonly signedInCluster?: boolean;
  /** Whether `rotate` asks the issuer for a renewal, and the issuer writes what it issues. */
  readonly renewedInCluster?: boolean;
  /** Whether the pods must be in the cluster: the certificate only exists there. */
  readonly inCluster: boolean;
  /** Absent where `rotate` replaces the certificate. */
  readonly refusesRotation?: (about: Refused) => RotationRefusal;
}

/** What a refusal names: the Secret with the serving certificate, and the project. */
interface Refused {
  readonly namespace: string;
  readonly name: string;
  readonly directory: string;
  /** An APIService of a server that `secure` can change: one that others installed. */
  readonly running?: string | undefined;
}

const secretOf = ({ namespace, name }: Pick<Refused, 'namespace' | 'name'>): string => `Secret ${namespace}/${name}`;

const deleteSecret = ({ namespace, name }: Pick<Refused, 'namespace' | 'name'>): string => `kubectl -n ${namespace} delete secret ${name}`;

/**
 * The only place that knows the issuer types by what they mean. Everything else asks this table, so
 * that a new type needs no change there.
 */
export const responsibilities: Readonly<Record<IssuerType, Responsibilities>> = {
  'self-signed': {
    meaning: 'apisvc creates a CA for this server only. Nothing else is needed.',
    ...{ key: 'apisvc', secret: 'apisvc', caBundle: 'apisvc', inProject: true, inCluster: false },
  },
  ca: {
    meaning: 'Your own CA signs the certificate. apisvc needs the certificate and the private key of the CA.',
    ...{ key: 'apisvc', secret: 'apisvc', caBundle: 'apisvc', inProject: true, inCluster: false },
  },
  'existing-secret': {
    meaning: 'Another tool writes the Secret with the certificate. apisvc writes the caBundle.',
    ...{ key: 'another tool', secret: 'another tool', caBundle: 'apisvc', inProject: false, inCluster: true },
    refusesRotation: (about) => ({
      why: `another tool writes ${secretOf(about)}, and apisvc does not have the CA`,
      way: 'Renew the certificate with the tool that writes the Secret. If a different CA signs the new certificate, update the caBundle: apisvc register\nIf spec.certificates.issuer.caBundleFile is set, first add the new CA to that file.',
    }),
  },
  'cert-manager': {
    meaning: 'cert-manager issues and renews the certificate, and writes the Secret and the caBundle.',
    ...{ key: 'cert-manager', secret: 'cert-manager', caBundle: 'cert-manager', inProject: false, renewedInCluster: true, inCluster: true },
  },
  csr: {
    meaning: 'A signer of the Kubernetes certificates API signs the certificate, after its request is approved.',
    ...{ key: 'apisvc', secret: 'apisvc', caBundle: 'apisvc', inProject: true, signedInCluster: true, inCluster: true },
  },
  'openshift-service-ca': {
    meaning: "OpenShift's service CA operator writes the Secret and the caBundle.",
    ...{
      key: "OpenShift's service CA operator",
      secret: "OpenShift's service CA operator",
      caBundle: "OpenShift's service CA operator",
      inProject: false,
      inCluster: true,
    },
    refusesRotation: (about) => ({
      why: `OpenShift's service CA operator renews the certificate in ${secretOf(about)}`,
      way: `Delete the Secret, and the operator creates it again: ${deleteSecret(about)}`,
    }),
  },
  insecure: {
    meaning: 'kube-apiserver accepts every certificate. Anyone on the network can impersonate the server.',
    ...{ key: 'the server', secret: 'nobody', caBundle: 'nobody', inProject: false, inCluster: false },
    refusesRotation: ({ directory, running }) => ({
      why: 'kube-apiserver does not verify the serving certificate (insecureSkipTLSVerify), so apisvc has no certificate to rotate',
      way: running
        ? `Turn on verification while the API keeps serving: ${inDirectory(`apisvc secure ${running}`, directory)}`
        : `Turn on verification: in apisvc.yaml, set spec.certificates.issuer to {type: self-signed}. Then: ${newKeysCommand({ directory, issuer: 'self-signed' })} && apisvc register`,
    }),
  },
};

/** The part of a registration that the table needs. */
interface HasIssuer {
  readonly spec: { readonly certificates: { readonly issuer: { readonly type: IssuerType } } };
}

/** Who does what for a registration. */
export const responsibilitiesOf = ({ spec }: HasIssuer): Responsibilities => responsibilities[spec.certificates.issuer.type];

/** Whether a Secret holds the serving certificate that the pods mount. */
export const hasServingSecret = (
  registration: HasIssuer & { readonly spec: { readonly server: { readonly external?: unknown } } },
): boolean => !registration.spec.server.external && responsibilitiesOf(registration).secret !== 'nobody';
