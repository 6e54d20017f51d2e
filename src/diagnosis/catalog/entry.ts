/**
 * `error`: the API does not work, or is about to stop working. `warning`: it works, but needs
 * attention.
 */
export type Severity = 'error' | 'warning';

/** The hops of a request, in order. */
export type HopKind = 'client' | 'kube-apiserver' | 'service' | 'endpoint';

/** The texts of one code. Placeholders in braces are filled in: see `catalog`. */
export interface CatalogEntry {
  /** The default. A check can report a warning instead. */
  readonly severity: Severity;
  /** Whether it means that two places differ, although it is a warning: `status` reports drift. */
  readonly differs?: true;
  /** The hop of the request path where the fault is fixed. */
  readonly hop: HopKind;
  /** The field of the APIService that it is about. Default: that of its family, in locations.ts. */
  readonly field?: readonly string[];
  readonly title: string;
  readonly cause: string;
  /** Replaces a cause that depends on the case in `apisvc explain` and docs/findings.md. */
  readonly causes?: string;
  /** What to do. Commands to copy are in backticks: see `fixParts`. */
  readonly fix: string;
  /** Replaces a fix that would change the cluster, for files. It may use {file} and {line}. */
  readonly fileFix?: string;
  /** Replaces `fileFix` for the files of a project, whose certificates `apisvc rotate` renews. */
  readonly projectFix?: string;
  /** Replaces a fix that depends on the case, as `causes` does. */
  readonly fixes?: string;
  /** Replaces cause and fix where the project is an outdated copy: see `Observation.isOutdated`. */
  readonly outdated?: { readonly cause: string; readonly fix: string };
  /**
   * Codes, or families such as `cert/*`. If one of them is found too, this finding is listed under
   * it as a symptom.
   */
  readonly explainedBy?: readonly string[];
}
