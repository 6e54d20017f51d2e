import type { AvailableCondition, Source } from '../snapshot/types.ts';
import type { HopKind, Severity } from './catalog/entry.ts';
import type { Code } from './catalog.ts';

/** One hop of the way of a request, for drawing it. There is one `endpoint` for each that was seen. */
export interface Hop {
  readonly kind: HopKind;
  /** `https://10.0.0.1:6443`, `wardle/api port 443`, `10.0.0.1:8443 (pod x)`. */
  readonly name: string;
  readonly state: 'ok' | 'warning' | 'broken' | 'unseen';
  /** Codes of the findings that belong here. */
  readonly codes: readonly Code[];
}

/** What a check reports: the code and the facts for its words, nothing else. */
export interface Observation {
  readonly code: Code;
  /** `warning` for something that the catalog calls an error, where the rest of the Service goes on working without it. */
  readonly severity?: Severity;
  /** Values as seen, one a line. */
  readonly evidence: readonly string[];
  /** The endpoints that it was seen at, where it is not a matter of the whole API. */
  readonly at?: readonly string[];
  /** Which of the findings that explain its code may explain this one; all of them without it. */
  readonly explainedBy?: readonly Code[];
  /** Values for the words of the catalog. */
  readonly args: Readonly<Record<string, string>>;
}

/** A finding with its words, and the symptoms that it explains. */
export interface Finding {
  readonly code: Code;
  readonly severity: Severity;
  /** One line: what is wrong, with names. */
  readonly title: string;
  readonly evidence: readonly string[];
  readonly cause: string;
  /** Commands stand in backticks: see `fixParts`. */
  readonly fix: string;
  readonly link: string;
  readonly explains: readonly Finding[];
}

/** Something that could not be looked at, and why. */
export interface NotChecked {
  readonly what: string;
  readonly why: string;
}

/** unknown: nothing was seen that would allow a verdict. */
export type Verdict = 'healthy' | 'broken' | 'unknown';

/** What a line of a table says of an API. Undefined is what was not seen or does not apply. */
export interface Overview {
  /** `<namespace>/<name>:<port>`; undefined also for a Local API. */
  readonly service: string | undefined;
  readonly available: AvailableCondition['status'] | undefined;
  readonly endpoints: { readonly ready: number; readonly total: number } | undefined;
  /** ISO 8601: when the first of the certificates that its endpoints serve ends. */
  readonly expires: string | undefined;
}

export interface ApiDiagnosis {
  readonly name: string;
  readonly verdict: Verdict;
  readonly overview: Overview;
  readonly findings: readonly Finding[];
  readonly notChecked: readonly NotChecked[];
  /** What was found in order, one line each. */
  readonly facts: readonly string[];
  readonly path: readonly Hop[];
}

export interface Diagnosis {
  readonly apiVersion: 'apisvc.dev/diagnosis/v1alpha1';
  readonly takenAt: string;
  readonly source: Source;
  readonly verdict: Verdict;
  readonly apis: readonly ApiDiagnosis[];
}

/** What was found in one of several clusters, or why nothing was. */
export interface ClusterResult {
  readonly context: string;
  readonly diagnosis?: Diagnosis;
  readonly error?: string;
}

/** Several clusters side by side. */
export interface DiagnosisList {
  readonly apiVersion: 'apisvc.dev/diagnosis-list/v1alpha1';
  readonly verdict: Verdict;
  readonly clusters: readonly ClusterResult[];
}

export interface DiagnoseOptions {
  /** Certificates that end within this time are findings; 30 days without. */
  readonly expiresWithinMs?: number;
  /** Whatever could not be looked at keeps an API from being healthy. */
  readonly strict?: boolean;
  /** Flags that lead kubectl and apisvc to the same cluster, e.g. `--context=staging`: commands of fixes get them. */
  readonly clusterFlags?: readonly string[];
}
