import clusterRole from '../../templates/cronjob/cluster-role.yaml';
import configMap from '../../templates/cronjob/config-map.yaml';
import cronJob from '../../templates/cronjob/cron-job.yaml';
import role from '../../templates/cronjob/role.yaml';
import bindingTemplate from '../../templates/cronjob/role-binding.yaml';
import serviceAccount from '../../templates/cronjob/service-account.yaml';
import clusterRoleBinding from '../../templates/manifests/cluster-role-binding.yaml';
import type { Registration } from '../config/schema.ts';
import { type Edits, fillTemplate } from './template.ts';
import type { Manifest } from './types.ts';

export interface CronJobSettings {
  readonly image: string;
  readonly schedule: string;
  /** The text of apisvc.yaml. */
  readonly configuration: string;
  /** The RBAC rules of the pod, in the namespace of the project and outside. */
  readonly rules: { readonly inNamespace: readonly object[]; readonly inCluster: readonly object[] };
}

/**
 * The longest name of a CronJob: its Jobs get 11 more characters
 * (k8s.io/kubernetes/pkg/apis/batch/validation).
 */
const longestName = 52;

/**
 * Every object of a CronJob that rotates the certificate of a project, in apply order. The objects
 * do not belong to the project: `register` and `unregister` leave them alone, and their labels
 * match no selector of the project.
 */
export function cronJobManifests({ metadata }: Registration, { image, schedule, configuration, rules }: CronJobSettings): Manifest[] {
  const { namespace } = metadata;
  const suffix = '-rotate';
  const name = `${metadata.name.slice(0, longestName - suffix.length)}${suffix}`;
  const labels = { 'app.kubernetes.io/name': name };
  const own: Edits = { 'metadata.name': name, 'metadata.namespace': namespace, 'metadata.labels': labels };
  const clusterName = `${namespace}:${name}`;
  const wide: Edits = { 'metadata.name': clusterName, 'metadata.labels': labels };
  const subject: Edits = { 'subjects.0.name': name, 'subjects.0.namespace': namespace };
  const pod = 'spec.jobTemplate.spec.template';
  return [
    fillTemplate(serviceAccount, '020-rotate-service-account.yaml', own),
    fillTemplate(clusterRole, '030-rotate-cluster-role.yaml', { ...wide, rules: rules.inCluster }),
    fillTemplate(clusterRoleBinding, '031-rotate-cluster-role-binding.yaml', { ...wide, 'roleRef.name': clusterName, ...subject }),
    fillTemplate(role, '032-rotate-role.yaml', { ...own, rules: rules.inNamespace }),
    fillTemplate(bindingTemplate, '033-rotate-role-binding.yaml', { ...own, 'roleRef.name': name, ...subject }),
    fillTemplate(configMap, '041-rotate-config-map.yaml', { ...own, data: { 'apisvc.yaml': configuration } }),
    fillTemplate(cronJob, '060-rotate-cron-job.yaml', {
      ...own,
      'spec.schedule': schedule,
      [`${pod}.metadata.labels`]: labels,
      [`${pod}.spec.serviceAccountName`]: name,
      [`${pod}.spec.containers.0.image`]: image,
      [`${pod}.spec.volumes.1.configMap.name`]: name,
    }),
  ];
}
