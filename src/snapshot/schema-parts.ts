import * as z from 'zod';
import { apiServiceNamePattern } from '../config/registration.ts';

export { time } from '../pki/certificate-schema.ts';

/** Parts that the schemas of snapshots and diagnoses share. */

export const texts = z.array(z.string());

/**
 * Names are part of commands that users paste. A name that starts with a hyphen would be an option
 * there.
 */
export const apiServiceName = z.string().regex(apiServiceNamePattern);
/**
 * An RFC 1123 name, which kube-apiserver requires of most objects
 * (k8s.io/apimachinery/pkg/util/validation).
 */
export const objectName = z.string().regex(/^[a-z0-9][-a-z0-9.]*$/);

/** A property that may be undefined, and is then left out of JSON. */
export const optional = <T extends z.ZodType>(schema: T) => z.optional(schema);

const absent = z.object({ state: z.literal('absent') });

/** Why something could not be observed. */
const unseenReason = z.enum([
  /** RBAC does not allow it. */
  'forbidden',
  /** No route, or no answer from here. */
  'unreachable',
  /** The files do not contain it. */
  'not-given',
  /** What was seen does not tell. */
  'undecided',
  /** It does not apply, or something that it depends on is missing. */
  'skipped',
]);

/** How the answer of an extension API server failed to arrive although kube-apiserver answers. */
export const answerFault = z.object({
  kind: z
    .enum(['none', 'stalled', 'cut-off'])
    .describe('none: no headers were received. stalled: the body was not complete before the timeout.'),
  afterMs: z.int(),
  received: optional(z.object({ status: z.int(), bytes: z.int() })).describe('The part of the response that was received.'),
});

const unseen = z.object({
  state: z.literal('unseen'),
  reason: unseenReason,
  words: z.string(),
  fault: optional(answerFault).describe('Only for requests that kube-apiserver forwards to the server.'),
});

/** The schema of `Observed` in types.ts. */
export const observed = <T extends z.ZodType>(value: T) =>
  z.discriminatedUnion('state', [z.object({ state: z.literal('seen'), value }), absent, unseen]);

export type Absent = z.infer<typeof absent>;
export type Unseen = z.infer<typeof unseen>;
