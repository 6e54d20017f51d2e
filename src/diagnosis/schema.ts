import * as z from 'zod';
import { sourceSchema } from '../snapshot/schema.ts';
import { optional, texts, time } from '../snapshot/schema-parts.ts';
import { availableCondition } from '../snapshot/schema-views.ts';
import type { Same, Stored } from '../snapshot/stored.ts';
import type { Code } from './catalog.ts';
import type { Diagnosis, DiagnosisList, Finding } from './types.ts';

/** The shape of `-o json` and `-o yaml`, for the JSON Schema that is shipped. The types are in diagnosis.ts; the last lines prove that both say the same. */

/** Later versions find more, so the codes of this one are not listed. */
const code = z
  .string()
  .regex(/^[a-z-]+\/[a-z0-9-]+$/)
  .describe('family/finding; docs/findings.md lists all') as z.ZodType<unknown, unknown> as z.ZodType<Code, Code>;
const verdict = z.enum(['healthy', 'broken', 'unknown']);

const finding: z.ZodType<Finding, Finding> = z
  .object({
    code,
    severity: z
      .enum(['error', 'warning'])
      .describe('error: it does not work, or is about to stop. warning: it works and should not stay so.'),
    title: z.string(),
    evidence: texts.describe('Values as seen.'),
    cause: z.string(),
    fix: z.string().describe('What to do; commands stand in backticks.'),
    link: z.string(),
    get explains() {
      return z.array(finding).describe('Symptoms of this finding.');
    },
  })
  .meta({ id: 'Finding' });

const apiDiagnosis = z.object({
  name: z.string(),
  verdict,
  overview: z.object({
    service: optional(z.string()).describe('namespace/name:port; absent for an API without Service'),
    available: optional(availableCondition.shape.status),
    endpoints: optional(z.object({ ready: z.number(), total: z.number() })),
    expires: optional(time).describe('when the first of the served certificates ends'),
  }),
  findings: z.array(finding),
  notChecked: z.array(z.object({ what: z.string(), why: z.string() })).describe('What could not be looked at, and why.'),
  facts: texts.describe('What was seen, for people.'),
  path: z
    .array(
      z.object({
        kind: z.enum(['client', 'kube-apiserver', 'service', 'endpoint']),
        name: z.string(),
        state: z.enum(['ok', 'warning', 'broken', 'unseen']),
        codes: z.array(code),
      }),
    )
    .describe('The way of a request, hop by hop.'),
});

/** One cluster, or files. */
export const diagnosisSchema = z
  .object({
    apiVersion: z.literal('apisvc.dev/diagnosis/v1alpha1'),
    takenAt: time,
    source: sourceSchema,
    verdict: verdict.describe('The worst of its APIs.'),
    apis: z.array(apiDiagnosis),
  })
  .meta({ id: 'Diagnosis' });

/** Several clusters side by side: more than one --context. */
export const diagnosisListSchema = z.object({
  apiVersion: z.literal('apisvc.dev/diagnosis-list/v1alpha1'),
  verdict,
  clusters: z.array(z.object({ context: z.string(), diagnosis: optional(diagnosisSchema), error: optional(z.string()) })),
});

true satisfies Same<Stored<z.input<typeof diagnosisSchema>>, Stored<Diagnosis>>;
true satisfies Same<Stored<z.input<typeof diagnosisListSchema>>, Stored<DiagnosisList>>;
