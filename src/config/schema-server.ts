import * as z from 'zod';
import { imageMessage, imageReference } from './image-reference.ts';
import { dns1123Label, dns1123Subdomain } from './names.ts';
import { existing, external } from './schema-other-server.ts';
import { absolutePath, labels, name, passThrough, percentage, port, stringMap } from './schema-parts.ts';

const probe = z
  .looseObject({ path: absolutePath.optional().describe('Path of the HTTPS request.') })
  .describe('A path, and any other field of a Kubernetes Probe.');

const serviceAccount = z.strictObject({
  name: name(dns1123Subdomain).optional().describe('Name of the ServiceAccount. Defaults to metadata.name.'),
  create: z.boolean().default(true).describe('false: use an existing ServiceAccount.'),
  annotations: stringMap.default({}).describe('Annotations of the ServiceAccount.'),
});

/** Whether anything differs from the defaults, which the schema fills in. */
const isConfigured = ({ name, create, annotations }: z.output<typeof serviceAccount>): boolean =>
  name !== undefined || !create || Object.keys(annotations).length > 0;

const policyRule = z.strictObject({
  apiGroups: z.array(z.string()).optional().describe('API groups; "" is the core group.'),
  resources: z.array(z.string()).optional().describe('Resources, such as pods or pods/log.'),
  resourceNames: z.array(z.string()).optional().describe('Names of individual objects. Default: all objects.'),
  nonResourceURLs: z.array(z.string()).optional().describe('Non-resource URLs, such as /metrics.'),
  verbs: z.array(z.string()).min(1).describe('Verbs, such as get, list and watch.'),
});

/** A subject of a binding; kube-apiserver requires a namespace for a ServiceAccount alone. */
const subject = z
  .strictObject({
    kind: z.enum(['ServiceAccount', 'User', 'Group']).describe('ServiceAccount, User or Group.'),
    name: z.string().min(1).describe('Name of the ServiceAccount, the user or the group.'),
    namespace: name(dns1123Label).optional().describe('Namespace of the ServiceAccount.'),
  })
  .superRefine(({ kind, namespace }, context) => {
    const needed = kind === 'ServiceAccount';
    if ((namespace !== undefined) === needed) return;
    const message = needed ? 'is required for a ServiceAccount' : `has no effect for a ${kind}; remove it`;
    context.addIssue({ code: 'custom', path: ['namespace'], message });
  });

const rbac = z.strictObject({
  rules: z.array(policyRule).default([]).describe('Rules of the ClusterRole of the server: what the server may do in the cluster.'),
  aggregate: z
    .strictObject({
      to: z
        .array(z.enum(['view', 'edit', 'admin']))
        .min(1)
        .describe('The default ClusterRoles to which the rules are added.'),
      rules: z.array(policyRule).min(1).describe('What users with these ClusterRoles may do with the API.'),
    })
    .optional()
    .describe('Adds rules for the API to the ClusterRoles view, edit or admin.'),
  grant: z
    .strictObject({
      to: z.array(subject).min(1).describe('The clients, as subjects of a ClusterRoleBinding.'),
      rules: z.array(policyRule).min(1).describe('What these clients may do with the API.'),
    })
    .optional()
    .describe('A ClusterRole and a ClusterRoleBinding that let clients, such as another controller, use the API.'),
});

const configMap = z.strictObject({
  name: name(dns1123Subdomain).describe('Name of the ConfigMap, to which volumes and env refer.'),
  data: stringMap.describe('Contents of the files, with the file names as keys.'),
});

/** A second ConfigMap of the same name would silently replace the first. */
function refuseSameNames(configMaps: readonly z.output<typeof configMap>[], context: z.RefinementCtx): void {
  for (const [index, { name }] of configMaps.entries()) {
    if (configMaps.findIndex((each) => each.name === name) === index) continue;
    context.addIssue({ code: 'custom', path: [index, 'name'], message: 'another ConfigMap has the same name' });
  }
}

/**
 * The pods that apisvc deploys. None of these keys makes sense for an `external` or `existing`
 * server.
 */
const workload = {
  image: z.string().regex(imageReference, { error: imageMessage }).optional().describe('Container image of the server.'),
  imagePullPolicy: z
    .enum(['Always', 'IfNotPresent', 'Never'])
    .optional()
    .describe('When the image is pulled. Default: the Kubernetes default.'),
  imagePullSecrets: z
    .array(z.strictObject({ name: z.string().describe('Name of the Secret.') }))
    .optional()
    .describe('Secrets with credentials for the image registry.'),
  command: z.array(z.string()).optional().describe('Entry point of the container. Default: the entry point of the image.'),
  args: z.array(z.string()).optional().describe('Arguments of the server. apisvc adds the certificate flags.'),
  env: z.array(passThrough).optional().describe('Environment variables (Kubernetes EnvVar).'),
  port: port.optional().describe('Port on which the server listens in its pod. Default: 8443.'),
  extraPorts: z.array(passThrough).optional().describe('Additional ports of the container (Kubernetes ContainerPort).'),
  replicas: z
    .int()
    .min(0)
    .optional()
    .describe(
      'Number of pods. If replicas is not set, the Deployment starts with one pod, and an autoscaler or kubectl scale can change the number.',
    ),
  probes: z
    .strictObject({
      startup: z
        .union([probe, z.literal(false)])
        .optional()
        .describe('Startup probe: a path and any other field of a Kubernetes Probe. Default: no startup probe.'),
      liveness: z
        .union([probe, z.literal(false)])
        .optional()
        .describe('Liveness probe, with the same fields. Default: path /livez. false: no liveness probe.'),
      readiness: z
        .union([probe, z.literal(false)])
        .optional()
        .describe(
          'Readiness probe, with the same fields. Default: path /readyz, periodSeconds 2, successThreshold 2, timeoutSeconds 5. false: no readiness probe.',
        ),
    })
    .optional()
    .describe('HTTPS probes. Servers built on k8s.io/apiserver serve the default paths.'),
  lifecycle: passThrough
    .optional()
    .describe(
      'Hooks of the container (Kubernetes Lifecycle). Default: preStop sleeps 5 seconds, unless the strategy is Recreate. {}: no hooks.',
    ),
  resources: passThrough.optional().describe('Resource requests and limits of the container (Kubernetes ResourceRequirements).'),
  securityContext: passThrough.optional().describe('Merged into the restrictive security context of the container; null removes a field.'),
  podSecurityContext: passThrough.optional().describe('Merged into the restrictive security context of the pod; null removes a field.'),
  podLabels: labels.optional().describe('Additional labels of the pods.'),
  podAnnotations: stringMap.optional().describe('Annotations of the pods.'),
  sidecars: z.array(passThrough).optional().describe('Additional containers (Kubernetes Container).'),
  initContainers: z.array(passThrough).optional().describe('Init containers (Kubernetes Container).'),
  volumes: z.array(passThrough).optional().describe('Additional volumes of the pod (Kubernetes Volume).'),
  volumeMounts: z.array(passThrough).optional().describe('Additional volume mounts of the container (Kubernetes VolumeMount).'),
  configMaps: z
    .array(configMap)
    .superRefine(refuseSameNames)
    .optional()
    .describe('ConfigMaps with configuration files of the server. The pods are replaced when the content changes.'),
  networkPolicy: z
    .strictObject({
      ingress: z.array(passThrough).optional().describe('Ingress rules (Kubernetes NetworkPolicyIngressRule).'),
      egress: z.array(passThrough).optional().describe('Egress rules (Kubernetes NetworkPolicyEgressRule).'),
    })
    .refine(({ ingress, egress }) => ingress !== undefined || egress !== undefined, { error: 'needs ingress, egress or both' })
    .optional()
    .describe(
      'A NetworkPolicy for the pods. A direction that is not set is not restricted; an empty list denies all traffic in that direction.',
    ),
  strategy: passThrough.optional().describe('Update strategy of the Deployment. Default: a rolling update with maxUnavailable: 0.'),
  priorityClassName: z.string().optional().describe('PriorityClass of the pods.'),
  hostNetwork: z.boolean().optional().describe('true: the pods use the network of their node.'),
  nodeSelector: labels.optional().describe('Labels of the nodes on which the pods may run.'),
  tolerations: z.array(passThrough).optional().describe('Tolerations of the pods (Kubernetes Toleration).'),
  affinity: passThrough.optional().describe('Affinity of the pods (Kubernetes Affinity).'),
  topologySpreadConstraints: z.array(passThrough).optional().describe('How the pods are spread (Kubernetes TopologySpreadConstraint).'),
  terminationGracePeriodSeconds: z.int().min(0).optional().describe('Termination grace period of the pods, in seconds.'),
  podDisruptionBudget: z
    .strictObject({
      minAvailable: z
        .union([z.int().min(0), percentage])
        .optional()
        .describe('Pods that must stay available: a number or a percentage.'),
      maxUnavailable: z
        .union([z.int().min(0), percentage])
        .optional()
        .describe('Pods that may be unavailable: a number or a percentage.'),
    })
    .refine(({ minAvailable, maxUnavailable }) => (minAvailable === undefined) !== (maxUnavailable === undefined), {
      error: 'needs exactly one of minAvailable and maxUnavailable',
    })
    .optional()
    .describe('A PodDisruptionBudget for the pods. Set either minAvailable or maxUnavailable.'),
};

/** `spec.server` */
export const server = z
  .strictObject({
    ...workload,
    external: external
      .optional()
      .describe('A server outside the cluster. apisvc creates a Service without a selector, and an EndpointSlice.'),
    existing: existing
      .optional()
      .describe('A server that is already installed in the cluster. apisvc does not create a Deployment or RBAC objects.'),
    serviceAccount: serviceAccount.prefault({}).describe('ServiceAccount of the pods.'),
    rbac: rbac.prefault({}).describe('RBAC rules of the server and of the users of its API.'),
  })
  .superRefine((value, context) => {
    const kinds = (['image', 'external', 'existing'] as const).filter((key) => value[key] !== undefined);
    const [kind] = kinds;
    if (kind === undefined || kinds.length > 1) {
      const found = kinds.length === 0 ? 'none is set' : `found ${kinds.join(' and ')}`;
      context.addIssue({ code: 'custom', message: `needs exactly one of image, external and existing; ${found}` });
      return;
    }
    if (kind === 'image') return;
    if (kind === 'existing' && (value.rbac.rules.length > 0 || value.rbac.aggregate || value.rbac.grant)) {
      const message = 'cannot be used with existing: the server has its own RBAC rules';
      context.addIssue({ code: 'custom', path: ['rbac'], message });
    }
    if (kind === 'existing' && isConfigured(value.serviceAccount)) {
      const message = 'cannot be used with existing: the server has its own ServiceAccount';
      context.addIssue({ code: 'custom', path: ['serviceAccount'], message, params: { about: 'key' } });
    }
    for (const key of Object.keys(workload)) {
      const message = `cannot be used with ${kind}: apisvc deploys no pods`;
      if (key in value) context.addIssue({ code: 'custom', path: [key], message, params: { about: 'key' } });
    }
  });
