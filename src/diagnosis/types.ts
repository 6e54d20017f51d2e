import type * as z from 'zod';
import type { DeepReadonly } from '../config/deep-readonly.ts';
import type { ProjectCommands } from '../config/project-commands.ts';
import type { ObjectField } from '../snapshot/offline/objects.ts';
import type { Severity } from './catalog/entry.ts';
import type { Code } from './catalog.ts';
import type * as schema from './schema.ts';

/**
 * The types of a diagnosis. The schemas define and describe them; types are erased, so that zod is
 * not loaded.
 */

type Data<T extends z.ZodType> = DeepReadonly<z.infer<T>>;

export type Diagnosis = Data<typeof schema.diagnosisSchema>;
export type DiagnosisList = Data<typeof schema.diagnosisListSchema>;
export type ClusterResult = Data<typeof schema.clusterResultSchema>;
export type ApiDiagnosis = Data<typeof schema.apiDiagnosisSchema>;
export type Finding = Data<typeof schema.findingSchema>;
export type Location = Data<typeof schema.locationSchema>;
export type Hop = Data<typeof schema.hopSchema>;
export type FilesDiagnosis = Data<typeof schema.filesDiagnosisSchema>;
export type Overview = Data<typeof schema.overviewSchema>;
export type NotChecked = Data<typeof schema.notCheckedSchema>;
/** unknown: not enough access to decide. */
export type Verdict = z.infer<typeof schema.verdictSchema>;

/** The result of a check: a code, and the values for its texts. */
export interface Observation {
  readonly code: Code;
  /** `warning` for a code that is an error by default, if the API still works. */
  readonly severity?: Severity;
  /** The observed values, one a line. */
  readonly evidence: readonly string[];
  /**
   * Whether the cluster has a newer certificate than the project, so that it must not be applied.
   */
  readonly isOutdated?: boolean;
  /** The affected endpoints. Absent if the whole API is affected. */
  readonly at?: readonly string[];
  /** Which codes of `explainedBy` in the catalog may explain this observation. By default all. */
  readonly explainedBy?: readonly Code[];
  /** The field of an object that it is about. By default, a field of the APIService. */
  readonly about?: ObjectField;
  /** Values for the placeholders of the catalog. */
  readonly args: Readonly<Record<string, string>>;
}

export interface DiagnoseOptions {
  /** Certificates that expire within this time are findings. 30 days by default. */
  readonly expiresWithinMs?: number;
  /** Whether a certificate that expires within this time is an error. */
  readonly failIfExpiresSoon?: boolean;
  /** Whether anything that was not checked makes the verdict unknown. */
  readonly strict?: boolean;
  /** Flags for kubectl and apisvc, e.g. `--context=staging`. The commands of fixes get them. */
  readonly clusterFlags?: readonly string[] | undefined;
  /** Where an object of files has a field. */
  readonly place?: (about: ObjectField) => Location | undefined;
  /** The project of all APIs, for the commands of fixes. Absent without one. */
  readonly project?: ProjectCommands | undefined;
  /** Whether warnings are errors. */
  readonly warningsAreErrors?: boolean;
}
