import { resources } from '../cluster/resources.ts';
import type { Issuer } from './issuer.ts';

/** github.com/openshift/service-ca-operator, pkg/controller/api/api.go. */
const generationError = 'service.beta.openshift.io/serving-cert-generation-error';

/**
 * OpenShift's service CA operator. It reads the annotations of the Service and of the APIServices,
 * and reports its errors in an annotation of the Service.
 */
export const openshiftServiceCa: Issuer<'openshift-service-ca'> = {
  async explainMissingSecret({ cluster, registration, signal }) {
    const { getObject } = await import('../cluster/objects.ts');
    const { metadata, spec } = registration;
    const ref = { resource: resources.Service, namespace: metadata.namespace, name: spec.service.name };
    const service = await getObject(cluster, ref, signal);
    const fault = service?.metadata.annotations?.[generationError];
    return fault === undefined ? undefined : `the operator reports for Service ${ref.namespace}/${ref.name}: ${fault}`;
  },
};
