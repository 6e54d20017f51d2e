/** `error`: the API does not work, or is about to stop working. `warning`: it works, but needs attention. */
export type Severity = 'error' | 'warning';

/** The hops of a request, in order. */
export type HopKind = 'client' | 'kube-apiserver' | 'service' | 'endpoint';

/** The words of one kind of finding. Those in braces are filled in: see `catalog`. */
export interface CatalogEntry {
  /** The usual one; a check may call it milder. */
  readonly severity: Severity;
  /** Where on the way of a request it is mended, for the drawing of that way. */
  readonly hop: HopKind;
  readonly title: string;
  readonly cause: string;
  /** Instead of a cause that is known in the single case only, for whoever asks about the code. */
  readonly causes?: string;
  /** What to do. Commands that are to be copied stand in backticks: see `fixParts`. */
  readonly fix: string;
  /** Codes, or families as `cert/*`, of which this is only a symptom: where one of them is found, it is shown beneath that. */
  readonly explainedBy?: readonly string[];
}
