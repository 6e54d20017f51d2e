import * as z from 'zod';
import { inspect } from './inspect.ts';
import type { CertificateInfo } from './types.ts';

const texts = z.array(z.string());
/** RFC 3339, with any offset. */
export const time = z.iso.datetime({ offset: true });

/** The properties of a certificate as JSON: the same as those of CertificateInfo. */
const properties = {
  subject: z.string(),
  commonName: z.string().optional(),
  issuer: z.string(),
  serial: z.string(),
  notBefore: time,
  notAfter: time,
  dnsNames: texts,
  ipAddresses: texts,
  isCA: z.boolean().optional(),
  pathLength: z.number().optional(),
  keyUsage: texts.optional(),
  extendedKeyUsage: texts.optional(),
  subjectKeyId: z.string().optional(),
  authorityKeyId: z.string().optional(),
  nameConstraints: z.object({ permittedDns: texts, excludedDns: texts, permittedIp: texts, excludedIp: texts }).optional(),
  publicKey: z.string(),
  signatureAlgorithm: z.string(),
  fingerprint: z.string(),
  selfSigned: z.boolean(),
  pem: z.string(),
} satisfies { readonly [Key in keyof CertificateInfo]: z.ZodType<CertificateInfo[Key]> };

/**
 * A certificate in a file. Its properties are read again from its PEM, so that a file cannot claim
 * anything else.
 */
export const certificateSchema = z
  .object(properties)
  .transform(({ pem }, context): CertificateInfo => {
    const [info] = inspect(pem).certificates;
    if (info) return info;
    context.addIssue({ code: 'custom', message: 'its pem holds no certificate' });
    return z.NEVER;
  })
  .meta({ id: 'Certificate' });
