import * as z from 'zod';
import { dns1123Label, dns1123Subdomain } from './names.ts';
import { ip, labels, name, port, portName } from './schema-parts.ts';

/** `spec.server.external` */
export const external = z.strictObject({
  addresses: z.array(ip).min(1).describe('IP addresses of the server.'),
  port: port.describe('Port on which the server listens.'),
});

const argumentChanges = z.strictObject({
  add: z.array(z.string()).default([]).describe('Arguments to append, unless the container already has them.'),
  replace: z
    .array(z.string().regex(/^--?[A-Za-z][\w.-]*=/, { error: 'must be --flag=value' }))
    .default([])
    .describe('Flags as --flag=value. If the container has the flag, its value is replaced. Otherwise, the flag is appended.'),
});

const existingDeployment = z.strictObject({
  name: name(dns1123Subdomain).describe('Name of the Deployment, in metadata.namespace.'),
  container: name(dns1123Label).describe('Name of the container that runs the server.'),
  args: argumentChanges
    .prefault({})
    .describe('Changes to the arguments of the container. All other arguments stay unchanged. register also sets the certificate flags.'),
});

/** `spec.server.existing` */
export const existing = z.strictObject({
  selector: labels
    .refine((map) => Object.keys(map).length > 0, { error: 'must have at least one label' })
    .describe('Labels of the pods that serve the API, as in spec.selector of the Service.'),
  port: z.union([port, portName]).describe('Number or name of the container port in these pods.'),
  deployment: existingDeployment
    .optional()
    .describe(
      'The Deployment to which register adds the Secret as a volume. If deployment is not set, the server must already use the Secret.',
    ),
});
