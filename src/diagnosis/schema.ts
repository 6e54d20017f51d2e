import * as z from 'zod';
import { sourceSchema } from '../snapshot/schema.ts';
import { optional, texts, time } from '../snapshot/schema-parts.ts';
import { availableCondition } from '../snapshot/schema-views.ts';
import type { Code } from './catalog.ts';

/**
 * The shape of a diagnosis: its types (types.ts), and the JSON Schema of `-o json` and `-o yaml`.
 */

/** A string in the JSON Schema: later versions have more codes. */
const code = z
  .string()
  .regex(/^[a-z-]+\/[a-z0-9-]+$/)
  .describe('family/finding, see docs/findings.md') as z.ZodType<unknown, unknown> as z.ZodType<Code, Code>;
export const verdictSchema = z.enum(['healthy', 'broken', 'unknown']);

export const locationSchema = z.object({
  file: z.string().describe('As it was given. `-` is standard input.'),
  line: optional(z.int()).describe('From 1. Absent for a whole file.'),
  column: optional(z.int()).describe('From 1.'),
});

/** A finding, and the symptoms that it explains. */
export const findingSchema = z
  .object({
    code,
    severity: z
      .enum(['error', 'warning'])
      .describe('error: the API does not work, or is about to stop working. warning: it works, but needs attention.'),
    title: z.string().describe('What is wrong, in one line.'),
    evidence: texts.describe('The observed values.'),
    cause: z.string(),
    fix: z.string().describe('What to do. Commands are in backticks.'),
    link: z.string(),
    locations: optional(z.array(locationSchema)).describe('Where the fault is. Only for files.'),
    sameAs: optional(z.string()).describe('Another API of the same Service with the same finding, reported before.'),
    get explains(): z.ZodArray<typeof findingSchema> {
      return z.array(findingSchema).describe('The symptoms of this finding.');
    },
  })
  .meta({ id: 'Finding' });

/** One hop of the request path. Every observed endpoint is a hop. */
export const hopSchema = z.object({
  kind: z.enum(['client', 'kube-apiserver', 'service', 'endpoint']),
  name: z.string().describe('For example `https://10.0.0.1:6443`, `wardle/api port 443`, `10.0.0.1:8443 (pod x)`.'),
  state: z.enum(['ok', 'warning', 'broken', 'unseen']).describe('unseen: not checked.'),
  codes: z.array(code).describe('The codes of its findings.'),
});

/** One row of a table of APIs. What was not observed or does not apply is absent. */
export const overviewSchema = z.object({
  service: optional(z.string()).describe('`<namespace>/<name>:<port>`. Absent for an API without a Service.'),
  available: optional(availableCondition.shape.status),
  endpoints: optional(z.object({ ready: z.number(), total: z.number() })),
  expires: optional(time).describe('When the first of the served certificates expires.'),
});

export const notCheckedSchema = z.object({ what: z.string(), why: z.string() });

export const apiDiagnosisSchema = z.object({
  name: z.string(),
  verdict: verdictSchema,
  overview: overviewSchema,
  findings: z.array(findingSchema),
  notChecked: z.array(notCheckedSchema).describe('What was not checked, and why.'),
  facts: texts.describe('What was observed, for humans.'),
  path: z.array(hopSchema).describe('The request path, hop by hop.'),
  location: optional(locationSchema).describe('Where the APIService is. Only for files.'),
});

/** Files that could not be checked, and objects that are not checked. */
export const filesDiagnosisSchema = z.object({
  findings: z.array(findingSchema),
  notChecked: z.array(notCheckedSchema),
});

/** One cluster, or files. */
export const diagnosisSchema = z
  .object({
    apiVersion: z.literal('apisvc.dev/diagnosis/v1alpha1'),
    takenAt: time,
    source: sourceSchema,
    verdict: verdictSchema.describe('The worst verdict of its APIs.'),
    failure: optional(z.string()).describe('Why the command fails. Absent if it succeeds: then the exit code is 0.'),
    apis: z.array(apiDiagnosisSchema),
    files: optional(filesDiagnosisSchema).describe('What is not about one API. Only for files.'),
  })
  .meta({ id: 'Diagnosis' });

/**
 * One of several clusters: its diagnosis, or the error that prevented it. A monitor reports the
 * error with the last diagnosis.
 */
export const clusterResultSchema = z.object({
  context: z.string(),
  diagnosis: optional(diagnosisSchema),
  error: optional(z.string()),
  exitCode: optional(z.int()).describe('The exit code for the error: 3, or 124 if the deadline passed.'),
});

/** Several clusters: more than one --context, or a pattern. */
export const diagnosisListSchema = z.object({
  apiVersion: z.literal('apisvc.dev/diagnosis-list/v1alpha1'),
  verdict: verdictSchema,
  clusters: z.array(clusterResultSchema),
});
