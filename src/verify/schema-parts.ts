import * as z from 'zod';

/** What the schemas of snapshots and diagnoses are made of. */

export const texts = z.array(z.string());

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
