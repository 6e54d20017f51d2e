import type { Conflict } from '../cluster/apply.ts';

/** What applying did to an object. `unchecked`: a dry run could not ask, since the namespace or the role does not exist yet. */
export type Change = 'created' | 'configured' | 'unchanged' | 'unchecked';

export interface AppliedObject {
  /** `apiservice/v1.example.com` */
  readonly object: string;
  readonly change: Change;
}

/** What a workflow says while it runs. Reporters put it into lines. */
export type Progress =
  | { readonly kind: 'step'; readonly what: string }
  | { readonly kind: 'applied'; readonly applied: AppliedObject }
  | { readonly kind: 'waiting'; readonly what: string; readonly last: string }
  | { readonly kind: 'took-back'; readonly object: string; readonly conflicts: readonly Conflict[] }
  | { readonly kind: 'note'; readonly what: string };

export type OnProgress = (progress: Progress) => void;
