import * as z from 'zod';
import { apiServiceName, objectName, observed, optional, texts, time } from './schema-parts.ts';

/** Schemas of the parts of Kubernetes objects that a snapshot keeps; see types.ts for what they mean. */

const labels = z.record(z.string(), z.string());

export const availableCondition = z.object({
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string(),
  message: z.string(),
  lastTransitionTime: z.string(),
});

export const apiServiceView = z.object({
  name: apiServiceName,
  group: z.string(),
  version: z.string(),
  service: optional(z.object({ namespace: z.string(), name: z.string(), port: z.number() })),
  caBundle: z.string(),
  insecureSkipTLSVerify: z.boolean(),
  groupPriorityMinimum: z.number(),
  versionPriority: z.number(),
  available: optional(availableCondition),
  labels,
  annotations: labels,
});

export const serviceView = z.object({
  type: z.string(),
  clusterIP: z.string(),
  externalName: optional(z.string()),
  selector: labels,
  ports: z.array(z.object({ name: z.string(), port: z.number(), targetPort: z.string() })),
});

export const endpointView = z.object({
  slice: z.string(),
  address: z.string(),
  ready: z.boolean(),
  pod: optional(z.string()),
  ports: z.array(z.object({ name: z.string(), port: z.number() })),
});

const ended = z.object({ kind: z.literal('ended'), exitCode: z.number(), reason: z.string(), message: z.string() });

const containerView = z.object({
  name: objectName,
  init: z.boolean(),
  ready: z.boolean(),
  restarts: z.number(),
  state: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('running'), startedAt: z.string() }),
    z.object({ kind: z.literal('waiting'), reason: z.string(), message: z.string() }),
    ended,
  ]),
  before: optional(ended),
  readinessProbe: optional(z.string()),
});

export const podView = z.object({
  name: objectName,
  uid: z.string(),
  owner: optional(z.string()),
  node: optional(objectName),
  phase: z.string(),
  ready: z.boolean(),
  unready: optional(z.object({ reason: z.string(), message: z.string() })),
  prepared: z.boolean(),
  deleting: z.boolean(),
  goneBy: optional(z.string()),
  unscheduled: optional(z.string()),
  containers: z.array(containerView),
  events: observed(z.array(z.object({ reason: z.string(), message: z.string() }))),
  lastLogLine: observed(z.string()),
});

export const serverView = z.object({
  pod: objectName,
  serviceAccount: z.string(),
  flags: texts,
  secrets: z.array(z.object({ name: objectName, mountPath: z.string(), subPath: z.boolean() })),
  startedAt: optional(time),
});
