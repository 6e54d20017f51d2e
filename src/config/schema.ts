import { isIP } from 'node:net';
import * as z from 'zod';
import { keyTypes } from '../pki/types.ts';
import { durationWords, parseDuration } from './duration.ts';
import { dns1035Label, dns1123Label, dns1123Subdomain, labelFault, type NameRule, nameFault } from './names.ts';

// Compiled validators pay off after many calls; here there is one.
z.config({ jitless: true });

/**
 * The shape of apisvc.yaml: the only definition of it. The types, the checks, the error positions and the JSON Schema
 * for editors all come from here. Every `describe` is shown by editors.
 */

const name = (rule: NameRule) =>
  z
    .string()
    .superRefine((value, context) => {
      const fault = nameFault(value, rule);
      if (fault) context.addIssue({ code: 'custom', message: fault });
    })
    .meta({ pattern: rule.pattern.source, maxLength: rule.maxLength });

const port = z.int().min(1).max(65535);
const portName = name({ ...dns1123Label, maxLength: 15 });
const duration = z.string().refine((value) => parseDuration(value) !== undefined, { error: durationWords });
const ip = z.string().refine((value) => isIP(value) !== 0, { error: 'must be an IPv4 or IPv6 address' });
const dnsName = z.string().refine((value) => nameFault(value.replace(/^\*\./, ''), dns1123Subdomain) === undefined, {
  error: `${dns1123Subdomain.words}; a leading "*." is allowed`,
});
const absolutePath = z.string().startsWith('/', { error: 'must start with "/"' });
const percentage = z.string().regex(/^\d+%$/, { error: 'must be a number or a percentage such as 50%' });
const stringMap = z.record(z.string(), z.string());
const labels = stringMap.superRefine((map, context) => {
  for (const [key, value] of Object.entries(map)) {
    const message = labelFault(key, value);
    if (message) context.addIssue({ code: 'custom', path: [key], message });
  }
});
/** A piece of the Kubernetes API that is handed through as it is; kube-apiserver checks it. */
const passThrough = z.looseObject({});

const api = z.strictObject({
  group: name(dns1123Subdomain).describe('API group that the server serves, for example wardle.example.com.'),
  version: name(dns1035Label).describe('Version of the group, for example v1alpha1.'),
  groupPriorityMinimum: z
    .int()
    .min(1)
    .max(20000)
    .default(1000)
    .describe('Rank of the group among all groups; 1000 to 2000 is usual, CRDs use 1000.'),
  versionPriority: z.int().min(1).max(1000).default(15).describe('Rank of this version within its group.'),
});

const service = z.strictObject({
  name: name(dns1035Label).describe('Name of the Service; the certificate is made for <name>.<namespace>.svc.'),
  port: port.default(443).describe('Port of the Service that the APIService names.'),
  portName: portName.optional().describe('Name of that port; needed when there are extraPorts.'),
  appProtocol: z.string().optional().describe('appProtocol of the port, for example https.'),
  ipFamilyPolicy: z.enum(['SingleStack', 'PreferDualStack', 'RequireDualStack']).optional(),
  annotations: stringMap.default({}),
  extraPorts: z.array(passThrough).default([]).describe('More ServicePorts, as Kubernetes writes them.'),
});

const probe = z
  .looseObject({ path: absolutePath.optional() })
  .describe('HTTPS probe: a path, and any other field of a Kubernetes probe. false leaves the probe out.');

const serviceAccount = z.strictObject({
  name: name(dns1123Subdomain).optional().describe('Defaults to metadata.name.'),
  create: z.boolean().default(true).describe('false: the ServiceAccount exists already.'),
  annotations: stringMap.default({}),
});

/** Whether any of it differs from the defaults, which stand there when nothing was written. */
const saysSomething = ({ name, create, annotations }: z.output<typeof serviceAccount>): boolean =>
  name !== undefined || !create || Object.keys(annotations).length > 0;

const policyRule = z.strictObject({
  apiGroups: z.array(z.string()).optional(),
  resources: z.array(z.string()).optional(),
  resourceNames: z.array(z.string()).optional(),
  nonResourceURLs: z.array(z.string()).optional(),
  verbs: z.array(z.string()).min(1),
});

const rbac = z.strictObject({
  rules: z.array(policyRule).default([]).describe('What the server itself may do in the cluster (a ClusterRole).'),
  aggregate: z
    .strictObject({
      to: z.array(z.enum(['view', 'edit', 'admin'])).min(1),
      rules: z.array(policyRule).min(1),
    })
    .optional()
    .describe('What ordinary users may do with the new API, added to the roles view, edit or admin.'),
});

const external = z.strictObject({
  addresses: z.array(ip).min(1).describe('IP addresses where the server listens, outside the cluster.'),
  port: port.describe('Port where the server listens.'),
});

const existingDeployment = z
  .strictObject({
    name: name(dns1123Subdomain).describe('Name of the Deployment, in the namespace of the registration.'),
    container: name(dns1123Label).describe('Name of the container in it that runs the server.'),
    args: z
      .strictObject({
        add: z.array(z.string()).default([]).describe('Arguments to append unless the container already has them.'),
        replace: z
          .array(z.string().regex(/^--?[A-Za-z][\w.-]*=/, { error: 'must be --flag=value' }))
          .default([])
          .describe('Flags as --flag=value. The value replaces the one that the container has. A flag that it does not have is appended.'),
      })
      .prefault({})
      .describe('Changes to the arguments of the container. All others are kept, and the certificate flags are set.'),
  })
  .describe('The existing Deployment: register mounts the Secret into it. Without it, the server must already read the Secret.');

const existing = z.strictObject({
  selector: labels
    .refine((map) => Object.keys(map).length > 0, { error: 'must name at least one label' })
    .describe('Labels of the pods that serve the API.'),
  port: z.union([port, portName]).describe('Port number or port name in those pods.'),
  deployment: existingDeployment.optional(),
});

const configMap = z.strictObject({
  name: name(dns1123Subdomain).describe('Name of the ConfigMap, for a volume or env to refer to.'),
  data: stringMap.describe('Its files, by name.'),
});

/** A second one would silently replace the first. */
function refuseSameNames(configMaps: readonly z.output<typeof configMap>[], context: z.RefinementCtx): void {
  for (const [index, { name }] of configMaps.entries()) {
    if (configMaps.findIndex((each) => each.name === name) === index) continue;
    context.addIssue({ code: 'custom', path: [index, 'name'], message: 'an earlier ConfigMap has the same name' });
  }
}

/** What describes pods of our own; none of it makes sense for a server that is `external` or `existing`. */
const workload = {
  image: z
    .string()
    .regex(/^\S+$/, { error: 'must be an image reference, without spaces' })
    .optional()
    .describe('Container image of the server.'),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).optional(),
  imagePullSecrets: z.array(z.strictObject({ name: z.string() })).optional(),
  command: z.array(z.string()).optional(),
  args: z.array(z.string()).optional().describe('Arguments of the server; certificate flags are added to them.'),
  env: z.array(passThrough).optional().describe('Environment, as Kubernetes writes it.'),
  port: port.optional().describe('Port where the server listens in its pod. Default 8443.'),
  extraPorts: z.array(passThrough).optional().describe('More ContainerPorts, as Kubernetes writes them.'),
  replicas: z
    .int()
    .min(0)
    .optional()
    .describe('Left to the cluster when it is not set: 1 at first, then what a HorizontalPodAutoscaler or kubectl scale says.'),
  probes: z
    .strictObject({
      startup: z.union([probe, z.literal(false)]).optional(),
      liveness: z.union([probe, z.literal(false)]).optional(),
      readiness: z.union([probe, z.literal(false)]).optional(),
    })
    .optional()
    .describe('Default: liveness /livez and readiness /readyz, which servers built on k8s.io/apiserver have.'),
  resources: passThrough.optional(),
  securityContext: passThrough.optional().describe('Merged over the hardened default of the container.'),
  podSecurityContext: passThrough.optional().describe('Merged over the hardened default of the pod.'),
  podLabels: labels.optional(),
  podAnnotations: stringMap.optional(),
  sidecars: z.array(passThrough).optional().describe('More containers, as Kubernetes writes them.'),
  initContainers: z.array(passThrough).optional(),
  volumes: z.array(passThrough).optional(),
  volumeMounts: z.array(passThrough).optional(),
  configMaps: z
    .array(configMap)
    .superRefine(refuseSameNames)
    .optional()
    .describe('Configuration files of the server; the pods are replaced when the content changes. volumes and volumeMounts mount them.'),
  networkPolicy: z
    .strictObject({ ingress: z.array(passThrough).optional(), egress: z.array(passThrough).optional() })
    .refine(({ ingress, egress }) => ingress !== undefined || egress !== undefined, { error: 'needs ingress, egress or both' })
    .optional()
    .describe('A NetworkPolicy of the pods: rules as Kubernetes writes them. A direction without rules of its own is not restricted.'),
  strategy: passThrough.optional().describe('Default: a rolling update that never takes a ready pod away first.'),
  priorityClassName: z.string().optional(),
  hostNetwork: z.boolean().optional(),
  nodeSelector: labels.optional(),
  tolerations: z.array(passThrough).optional(),
  affinity: passThrough.optional(),
  topologySpreadConstraints: z.array(passThrough).optional(),
  terminationGracePeriodSeconds: z.int().min(0).optional(),
  podDisruptionBudget: z
    .strictObject({
      minAvailable: z.union([z.int().min(0), percentage]).optional(),
      maxUnavailable: z.union([z.int().min(0), percentage]).optional(),
    })
    .refine(({ minAvailable, maxUnavailable }) => (minAvailable === undefined) !== (maxUnavailable === undefined), {
      error: 'needs exactly one of minAvailable and maxUnavailable',
    })
    .optional(),
};

const server = z
  .strictObject({
    ...workload,
    external: external.optional().describe('The server runs outside the cluster: a Service without selector and an EndpointSlice.'),
    existing: existing.optional().describe('The server is deployed by someone else: no pods and no RBAC objects are made.'),
    serviceAccount: serviceAccount.prefault({}),
    rbac: rbac.prefault({}),
  })
  .superRefine((value, context) => {
    const kinds = (['image', 'external', 'existing'] as const).filter((key) => value[key] !== undefined);
    if (kinds.length !== 1) {
      const found = kinds.length === 0 ? 'none is given' : `found ${kinds.join(' and ')}`;
      context.addIssue({ code: 'custom', message: `needs exactly one of image, external and existing; ${found}` });
      return;
    }
    if (kinds[0] === 'image') return;
    if (kinds[0] === 'existing' && (value.rbac.rules.length > 0 || value.rbac.aggregate)) {
      const message = 'has no meaning beside existing: the server brings its own RBAC';
      context.addIssue({ code: 'custom', path: ['rbac'], message });
    }
    if (kinds[0] === 'existing' && saysSomething(value.serviceAccount)) {
      const message = 'has no meaning beside existing: the server brings its own ServiceAccount';
      context.addIssue({ code: 'custom', path: ['serviceAccount'], message, params: { about: 'key' } });
    }
    for (const key of Object.keys(workload)) {
      const message = `has no meaning beside ${kinds[0]}: no pods are made`;
      if (key in value) context.addIssue({ code: 'custom', path: [key], message, params: { about: 'key' } });
    }
  });

const selfSigned = z
  .strictObject({
    type: z.literal('self-signed'),
    caLifetime: duration.default('3650d').describe('How long the CA is valid.'),
    nameConstraints: z.boolean().default(true).describe('Limits the CA to the names of this server (RFC 5280 4.2.1.10).'),
  })
  .describe('apisvc makes a CA for this server only and keeps it in certs/.');

const givenCa = z.strictObject({ type: z.literal('ca') }).describe('A CA that you already have. Its key stays where it is.');

const certificates = z.strictObject({
  issuer: z
    .discriminatedUnion('type', [selfSigned, givenCa])
    .prefault({ type: 'self-signed' })
    .describe('The CA that signs the serving certificate.'),
  keyType: z.enum(keyTypes).default('ecdsa-p256'),
  lifetime: duration.default('365d').describe('How long the serving certificate is valid.'),
  clusterDomain: name(dns1123Subdomain).default('cluster.local'),
  dnsNames: z.array(dnsName).default([]).describe('More DNS names in the serving certificate.'),
  ipAddresses: z.array(ip).default([]).describe('IP addresses in the serving certificate.'),
  secretName: name(dns1123Subdomain).optional().describe('Secret of type kubernetes.io/tls. Defaults to <service name>-tls.'),
  mountPath: absolutePath.default('/var/run/serving-cert').describe('Where the pod finds the Secret.'),
  files: z
    .strictObject({ cert: z.string().min(1).default('tls.crt'), key: z.string().min(1).default('tls.key') })
    .prefault({})
    .describe('File names under mountPath, for servers that look for fixed names.'),
  flags: z
    .enum(['equals', 'separate', 'none'])
    .default('equals')
    .describe('How the server is told: --tls-cert-file=FILE, --tls-cert-file FILE, or not at all.'),
});

export const registrationSchema = z
  .strictObject({
    apiVersion: z.literal('apisvc.dev/v1alpha1'),
    kind: z.literal('Registration'),
    metadata: z.strictObject({
      name: name(dns1123Label).describe('Names the Deployment, the ServiceAccount and the RBAC objects.'),
      namespace: name(dns1123Label).describe('Namespace of everything that is namespaced.'),
      labels: labels.default({}).describe('Added to every object but the Namespace, which others may share.'),
    }),
    spec: z.strictObject({
      apis: z.array(api).min(1).describe('The groups and versions that this server serves; one APIService each.'),
      service,
      server,
      certificates: certificates.prefault({}),
    }),
  })
  .superRefine(({ spec }, context) => {
    const seen = new Set<string>();
    for (const [index, { group, version }] of spec.apis.entries()) {
      const apiService = `${version}.${group}`;
      if (seen.has(apiService))
        context.addIssue({ code: 'custom', path: ['spec', 'apis', index], message: `${apiService} is listed twice` });
      seen.add(apiService);
    }
    if (spec.service.extraPorts.length > 0 && spec.service.portName === undefined) {
      context.addIssue({ code: 'custom', path: ['spec', 'service'], message: 'needs a portName when there are extraPorts' });
    }
  });

/** A whole apisvc.yaml with every default filled in. */
export type Registration = z.output<typeof registrationSchema>;
export type Api = Registration['spec']['apis'][number];
