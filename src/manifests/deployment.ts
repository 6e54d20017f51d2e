import deploymentTemplate from '../../templates/manifests/deployment.yaml';
import disruptionTemplate from '../../templates/manifests/pod-disruption-budget.yaml';
import { mergePatch } from '../config/merge-patch.ts';
import { secretName } from '../config/registration.ts';
import { hasServingSecret, responsibilitiesOf } from '../config/responsibilities.ts';
import type { Registration } from '../config/schema.ts';
import { configChecksum } from './config-map.ts';
import { containerEdits, hardened, makesCertificate } from './container.ts';
import { serviceAccountName } from './identity.ts';
import { metadataEdits, objectLabels, podSelector } from './labels.ts';
import { type Edits, fillTemplate, templateDefault } from './template.ts';
import type { Manifest } from './types.ts';

const pod = 'spec.template.spec';

const hardenedPod = templateDefault(deploymentTemplate, `${pod}.securityContext`);

const under = (path: string, edits: Edits): Edits =>
  Object.fromEntries(Object.entries(edits).map(([key, value]) => [`${path}.${key}`, value]));

/** Adds items to a list of the template, behind those that it has. */
const append = (path: string, present: number, items: readonly unknown[] = []): Edits =>
  Object.fromEntries(items.map((item, index) => [`${path}.${present + index}`, item]));

/**
 * Files of the Secret under the names that the server looks for; nothing when those are the
 * Secret's own.
 */
export function secretItems(registration: Registration) {
  const { files } = registration.spec.certificates;
  if (files.cert === 'tls.crt' && files.key === 'tls.key') return undefined;
  return [
    // A pod does not start without an entry that it names, and not every issuer writes this one.
    ...(responsibilitiesOf(registration).secret === 'apisvc' ? [{ key: 'ca.crt', path: 'ca.crt' }] : []),
    { key: 'tls.crt', path: files.cert },
    { key: 'tls.key', path: files.key },
  ];
}

/** Without a Secret, the server makes its own certificate. */
const volumeEdits = (registration: Registration): Edits => {
  const { volumes } = registration.spec.server;
  if (makesCertificate(registration)) return { volumes: [{ name: 'serving-cert', emptyDir: {} }, ...(volumes ?? [])] };
  if (!hasServingSecret(registration)) return { volumes };
  return {
    'volumes.0.secret.secretName': secretName(registration),
    'volumes.0.secret.items': secretItems(registration),
    ...append('volumes', 1, volumes),
  };
};

function podEdits(registration: Registration): Edits {
  const { server } = registration.spec;
  return {
    serviceAccountName: serviceAccountName(registration),
    securityContext: mergePatch(hardenedPod, server.podSecurityContext ?? {}),
    initContainers: server.initContainers?.map(hardened),
    ...under('containers.0', containerEdits(registration)),
    ...append('containers', 1, server.sidecars?.map(hardened)),
    ...volumeEdits(registration),
    imagePullSecrets: server.imagePullSecrets,
    priorityClassName: server.priorityClassName,
    // kube-apiserver drops `false`.
    hostNetwork: server.hostNetwork || undefined,
    nodeSelector: server.nodeSelector,
    tolerations: server.tolerations,
    affinity: server.affinity,
    topologySpreadConstraints: server.topologySpreadConstraints,
    terminationGracePeriodSeconds: server.terminationGracePeriodSeconds,
  };
}

/**
 * The Deployment of the server, hardened by default, and its PodDisruptionBudget, if configured.
 */
export function workloadManifests(registration: Registration): Manifest[] {
  const { metadata, spec } = registration;
  const { replicas, strategy, podLabels, podAnnotations, podDisruptionBudget } = spec.server;
  const identity = { ...metadataEdits(registration, metadata.name), 'metadata.namespace': metadata.namespace };
  const deployment = fillTemplate(deploymentTemplate, '060-deployment.yaml', {
    ...identity,
    // Without a configured number, an autoscaler or kubectl scale owns the field.
    'spec.replicas': replicas,
    // kube-apiserver fills in the type, and `kubectl apply` would replace the strategy on every
    // run.
    ...(strategy === undefined ? {} : { 'spec.strategy': { type: 'RollingUpdate', ...strategy } }),
    'spec.selector.matchLabels': podSelector(registration),
    'spec.template.metadata.labels': objectLabels(registration, podLabels),
    'spec.template.metadata.annotations': { ...podAnnotations, ...configChecksum(registration) },
    ...under(pod, podEdits(registration)),
  });
  if (podDisruptionBudget === undefined) return [deployment];
  const budget = fillTemplate(disruptionTemplate, '061-pod-disruption-budget.yaml', {
    ...identity,
    'spec.minAvailable': podDisruptionBudget.minAvailable,
    'spec.maxUnavailable': podDisruptionBudget.maxUnavailable,
    'spec.selector.matchLabels': podSelector(registration),
  });
  return [deployment, budget];
}
