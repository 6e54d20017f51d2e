import { isIP } from 'node:net';
import * as z from 'zod';
import { durationFault } from './duration.ts';
import { dns1123Label, dns1123Subdomain, labelFault, type NameRule, nameFault } from './names.ts';

// Compiled validators pay off after many calls; here there is one.
z.config({ jitless: true });

/** Values that several parts of apisvc.yaml have in common. */

/** A rule of the text of a value, as a check of zod. */
const ruled = (faultOf: (value: string) => string | undefined) => (value: string, context: z.RefinementCtx) => {
  const message = faultOf(value);
  if (message) context.addIssue({ code: 'custom', message });
};

export const name = (rule: NameRule) =>
  z
    .string()
    .superRefine(ruled((value) => nameFault(value, rule)))
    .meta({ pattern: rule.pattern.source, maxLength: rule.maxLength });

export const port = z.int().min(1).max(65535);
export const portName = name({ ...dns1123Label, maxLength: 15 });

export const duration = z.string().superRefine(ruled(durationFault));

/** Certificates and Kubernetes objects contain no zone, as in fe80::1%eth0. */
export const ip = z.string().refine((value) => isIP(value) !== 0 && !value.includes('%'), { error: 'must be an IPv4 or IPv6 address' });

export const dnsName = z.string().refine((value) => nameFault(value.replace(/^\*\./, ''), dns1123Subdomain) === undefined, {
  error: `${dns1123Subdomain.message}; a leading "*." is allowed`,
});

export const absolutePath = z.string().startsWith('/', { error: 'must start with "/"' });

export const percentage = z.string().regex(/^\d+%$/, { error: 'must be a number or a percentage such as 50%' });

export const stringMap = z.record(z.string(), z.string());

export const labels = stringMap.superRefine((map, context) => {
  for (const [key, value] of Object.entries(map)) {
    const message = labelFault(key, value);
    if (message) context.addIssue({ code: 'custom', path: [key], message });
  }
});

/** A piece of the Kubernetes API that is passed on unchanged. kube-apiserver checks it. */
export const passThrough = z.looseObject({});
