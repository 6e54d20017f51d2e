import * as z from 'zod';
import { apiServiceNamePattern } from '../config/registration.ts';

/** What the schemas of snapshots and diagnoses are made of. */

export const texts = z.array(z.string());

/** Names end up in commands that people paste, where one that begins with a hyphen would be an option. */
export const apiServiceName = z.string().regex(apiServiceNamePattern);
/** A name as RFC 1123 has it, which kube-apiserver demands of most objects (k8s.io/apimachinery/pkg/util/validation). */
export const objectName = z.string().regex(/^[a-z0-9][-a-z0-9.]*$/);

/** ISO 8601; something that `Date` can read. */
export const time = z.iso.datetime({ offset: true });

/** What is undefined in memory is left out of JSON. */
export const optional = <T extends z.ZodType>(schema: T) => z.optional(schema);

/** `Observed` of types.ts. */
export const observed = <T extends z.ZodType>(value: T) =>
  z.discriminatedUnion('state', [
    z.object({ state: z.literal('seen'), value }),
    z.object({ state: z.literal('absent') }),
    z.object({ state: z.literal('unseen'), reason: z.enum(['forbidden', 'unreachable', 'not-given', 'skipped']), words: z.string() }),
  ]);
