import { secretName } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import type { IssuerType } from '../config/schema-certificates.ts';
import { certificateName } from './cert-manager.ts';
import { certManagerAnnotations } from './cert-manager-annotations.ts';
import type { Edits } from './template.ts';

/** What an issuer needs in the Service and in the APIServices. */
interface IssuerFields {
  readonly service?: Readonly<Record<string, string>>;
  readonly apiService?: Readonly<Record<string, string>>;
  readonly insecure?: boolean;
}

const fieldsOf: Readonly<Partial<Record<IssuerType, (registration: Registration) => IssuerFields>>> = {
  // cert-manager pkg/apis/certmanager/v1/types.go, WantInjectAnnotation.
  'cert-manager': (registration) => ({
    apiService: { [certManagerAnnotations.fromCertificate]: `${registration.metadata.namespace}/${certificateName(registration)}` },
  }),
  // github.com/openshift/service-ca-operator, pkg/controller/api/api.go.
  'openshift-service-ca': (registration) => ({
    service: { 'service.beta.openshift.io/serving-cert-secret-name': secretName(registration) },
    apiService: { 'service.beta.openshift.io/inject-cabundle': 'true' },
  }),
  insecure: () => ({ insecure: true }),
};

const fields = (registration: Registration): IssuerFields => fieldsOf[registration.spec.certificates.issuer.type]?.(registration) ?? {};

/** The annotations of the Service by which the issuer makes the certificate. */
export const serviceAnnotations = (registration: Registration): Readonly<Record<string, string>> => fields(registration).service ?? {};

/** The annotations of the APIServices by which the issuer writes the caBundle. */
export const apiServiceAnnotations = (registration: Registration): Readonly<Record<string, string>> =>
  fields(registration).apiService ?? {};

/**
 * The verification of the APIServices. kube-apiserver drops `false`, and accepts no caBundle beside
 * `true` (kube-aggregator pkg/apis/apiregistration/validation).
 */
export const verificationEdits = (registration: Registration): Edits => ({
  'spec.insecureSkipTLSVerify': fields(registration).insecure ? true : undefined,
});
