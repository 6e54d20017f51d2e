import * as z from 'zod';
import { builtInGroups } from './built-in-groups.ts';
import { refuseContradictions } from './contradictions.ts';
import { dns1035Label, dns1123Label, dns1123Subdomain } from './names.ts';
import { certificates } from './schema-certificates.ts';
import { labels, name, passThrough, port, portName, stringMap } from './schema-parts.ts';
import { server } from './schema-server.ts';

/**
 * The shape of apisvc.yaml, and its only definition. Types, checks, error positions, the JSON
 * Schema for editors and docs/configuration.md come from it, so that every key needs a `describe`.
 */

const api = z.strictObject({
  group: name(dns1123Subdomain)
    .refine((group) => !builtInGroups.has(group), {
      error: 'this API group is built into kube-apiserver; use a group of your own, such as wardle.example.com',
    })
    .describe('API group, for example wardle.example.com.'),
  version: name(dns1035Label).describe('Version of the group, for example v1alpha1.'),
  groupPriorityMinimum: z
    .int()
    .min(1)
    .max(20000)
    .default(1000)
    .describe('Priority of the group among all groups. Usual values are 1000 to 2000. Groups of CustomResourceDefinitions have 1000.'),
  versionPriority: z.int().min(1).max(1000).default(15).describe('Priority of the version within its group.'),
});

const service = z.strictObject({
  name: name(dns1035Label).describe('Name of the Service. The serving certificate is valid for <name>.<namespace>.svc.'),
  port: port.default(443).describe('Port of the Service, as in spec.service.port of the APIServices.'),
  portName: portName.optional().describe('Name of this port. Required if extraPorts is not empty.'),
  appProtocol: z.string().optional().describe('appProtocol of this port, for example https.'),
  ipFamilyPolicy: z
    .enum(['SingleStack', 'PreferDualStack', 'RequireDualStack'])
    .optional()
    .describe('IP family policy of the Service. Default: the Kubernetes default.'),
  annotations: stringMap.default({}).describe('Annotations of the Service.'),
  extraPorts: z.array(passThrough).default([]).describe('Additional ports of the Service (Kubernetes ServicePort).'),
});

const metadata = z.strictObject({
  name: name(dns1123Label).describe('Name of the Deployment, the ServiceAccount and the RBAC objects.'),
  namespace: name(dns1123Label).describe('Namespace of all namespaced objects.'),
  labels: labels.default({}).describe('Labels of every object except the Namespace, which other servers may share.'),
});

export const registrationSchema = z
  .strictObject({
    apiVersion: z.literal('apisvc.dev/v1alpha1').describe('Version of this file format.'),
    kind: z.literal('Registration').describe('Kind of this file.'),
    metadata: metadata.describe('Names and labels of the objects.'),
    spec: z
      .strictObject({
        apis: z.array(api).min(1).describe('The groups and versions that the server serves: one APIService for each.'),
        service: service.describe('The Service through which kube-apiserver reaches the server.'),
        server: server.describe('The server: exactly one of image, external and existing.'),
        certificates: certificates.prefault({}).describe('The serving certificate and its CA.'),
      })
      .describe('The server and its registration.'),
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
      context.addIssue({ code: 'custom', path: ['spec', 'service'], message: 'needs a portName when it has extraPorts' });
    }
    refuseContradictions(spec, context);
  });

/** A whole apisvc.yaml with every default filled in. */
export type Registration = z.output<typeof registrationSchema>;
export type Api = Registration['spec']['apis'][number];
