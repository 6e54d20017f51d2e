import * as z from 'zod';
import { apiServiceName, objectName, observed, optional, texts, time } from './schema-parts.ts';

/** The parts of Kubernetes objects that a snapshot keeps. */

const labels = z.record(z.string(), z.string());

export const availableCondition = z.object({
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string(),
  message: z.string(),
  /** RFC 3339. */
  lastTransitionTime: z.string(),
});

/** An object that is being deleted: it exists until its finalizers are removed. */
export const deletionView = z.object({ since: z.string().describe('RFC 3339.'), finalizers: texts });
const deleting = optional(deletionView).describe('Absent for an object that is not being deleted.');

/** An APIService (k8s.io/kube-aggregator/pkg/apis/apiregistration/v1/types.go). */
export const apiServiceView = z.object({
  name: apiServiceName,
  group: z.string(),
  version: z.string(),
  service: optional(z.object({ namespace: z.string(), name: z.string(), port: z.number() })).describe(
    'Absent for a Local APIService, which kube-apiserver serves itself.',
  ),
  caBundle: z.string().describe('Base64, as in the object. Empty when it is not set.'),
  bundleManagers: optional(z.array(z.object({ manager: z.string(), operation: z.string(), time: optional(z.string()) }))).describe(
    'The field managers that also own the caBundle. apisvc cannot change it without a conflict with them. Absent if there are none.',
  ),
  insecureSkipTLSVerify: z.boolean(),
  groupPriorityMinimum: z.number(),
  versionPriority: z.number(),
  available: optional(availableCondition),
  deleting,
  labels,
  annotations: labels,
});

export const serviceView = z.object({
  type: z.string(),
  clusterIP: z.string(),
  externalName: optional(z.string()),
  selector: labels,
  ports: z.array(
    z.object({
      name: z.string(),
      port: z.number(),
      targetPort: z.string(),
      protocol: optional(z.string()).describe('Absent for TCP.'),
    }),
  ),
  deleting,
});

/** A Namespace (k8s.io/api/core/v1/types.go, NamespaceStatus). */
export const namespaceView = z.object({
  name: z.string(),
  deleting,
  conditions: texts.describe('The messages of conditions that are True: what the deletion waits for.'),
});

/** One address of an EndpointSlice. */
export const endpointView = z.object({
  /** Name of the EndpointSlice. */
  slice: z.string(),
  address: z.string(),
  ready: z.boolean(),
  /** Name of the pod, where targetRef names one. */
  pod: optional(z.string()),
  ports: z.array(z.object({ name: z.string(), port: z.number() })),
});

const running = z.object({
  kind: z.literal('running'),
  /** RFC 3339. */
  startedAt: z.string(),
});

const waiting = z.object({ kind: z.literal('waiting'), reason: z.string(), message: z.string() });

export const ended = z.object({
  kind: z.literal('ended'),
  exitCode: z.number(),
  reason: z.string(),
  /** The termination message: one line, often empty. */
  message: z.string(),
});

export const containerView = z.object({
  name: objectName,
  init: z.boolean(),
  ready: z.boolean(),
  restarts: z.number(),
  state: z.discriminatedUnion('kind', [running, waiting, ended]),
  before: optional(ended).describe('How the container ended before its last restart.'),
  readinessProbe: optional(z.string()).describe('What the kubelet requests, e.g. `HTTPS GET /readyz at port 8443`.'),
});

/** An event about a pod: a warning, or that a node is being added for it. */
export const podEvent = z.object({ reason: z.string(), message: z.string() });

/**
 * The parts of a pod that tell whether it serves, and why not. Nothing of its environment or
 * volumes.
 */
export const podView = z.object({
  name: objectName,
  uid: z.string(),
  owner: optional(z.string()).describe('The uid of its controller: for the pods of a Deployment, a ReplicaSet.'),
  node: optional(objectName),
  phase: z.string(),
  ready: z.boolean(),
  readySince: optional(time).describe('When the condition Ready became True.'),
  unready: optional(z.object({ reason: z.string(), message: z.string() })).describe('The condition Ready, if it is not True.'),
  prepared: z.boolean().describe('Whether its sandbox, network and volumes are ready (condition PodReadyToStartContainers, KEP-3085).'),
  deleting: z.boolean(),
  goneBy: optional(z.string()).describe('When its grace period ends: RFC 3339.'),
  unscheduled: optional(z.string()).describe('The message of the scheduler, while the pod has no node.'),
  containers: z.array(containerView).describe('Init containers first, because they start first.'),
  events: observed(z.array(podEvent)).describe('Read only for a pod that is not ready.'),
  lastLogLine: observed(z.string()).describe(
    'The last log line of the container that crashes or is not ready. Read only if such a container exists.',
  ),
});

/**
 * The configuration of the server in a pod, as far as it decides about its certificate and whom it
 * trusts.
 */
export const serverView = z.object({
  pod: objectName.describe('One of the pods with this configuration.'),
  serviceAccount: z.string(),
  /**
   * `--tls-cert-file`, `--cert-dir`, `--secure-port`, `--client-ca-file`, `--requestheader-*`,
   * `--authentication-*`
   */
  flags: texts.describe('Flags about TLS and identities, of the container that listens on the port of the Service.'),
  // Source for subPath: kubernetes.io, Secrets, "Mounted Secrets are updated automatically".
  secrets: z
    .array(z.object({ name: objectName, mountPath: z.string(), subPath: z.boolean() }))
    .describe('The Secrets mounted into that container. A subPath mount is never updated.'),
  startedAt: optional(time).describe('Absent for a pod that no kubelet has started.'),
  certificateSecret: optional(objectName).describe(
    'The mounted Secret with the certificate file that a flag or an environment variable names.',
  ),
});
