import { dns1123Label, nameFault } from '../../config/names.ts';
import type { RunningRegistration, SecuredServer } from '../../config/secured.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { type Json, listOf, textOf, viewApiService } from '../../snapshot/views.ts';
import type { Backend, RunningServer } from './find.ts';

/** The parts of apisvc.yaml that the cluster tells of a running registration. */

/** @param service the Service of the backend */
export function registrationFields(
  { namespace, name, port }: Backend,
  apiServices: readonly KubeObject[],
  service: KubeObject,
): Omit<RunningRegistration, 'name'> {
  const live: Json = listOf((service as Json).spec?.ports).find((each) => each.port === port);
  return {
    namespace,
    apis: apiServices
      .map(viewApiService)
      .map(({ group, version, groupPriorityMinimum, versionPriority }) => ({ group, version, groupPriorityMinimum, versionPriority })),
    service: { name, port, portName: textOf(live?.name), appProtocol: textOf(live?.appProtocol) },
  };
}

/** The pods of a Service, as `spec.server.existing` has them. */
export const podFields = ({ service, targetPort }: RunningServer): Pick<SecuredServer, 'selector' | 'port'> => ({
  selector: service.selector,
  port: /^\d+$/.test(targetPort) ? Number(targetPort) : targetPort,
});

/** The name of the only Deployment, where a project can have it; otherwise that of the Service. */
export function projectNameFor({ deployments, otherOwners }: Pick<RunningServer, 'deployments' | 'otherOwners'>, service: string): string {
  const [deployment, ...more] = deployments;
  if (!deployment || more.length > 0 || otherOwners.length > 0) return service;
  const { name } = deployment.metadata;
  return nameFault(name, dns1123Label) === undefined ? name : service;
}
