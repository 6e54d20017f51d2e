import type { Conflict } from '../cluster/field-owners.ts';

/**
 * What applying did to an object. `unchecked`: a dry run could not check it, because its namespace
 * or role does not exist yet.
 */
export type Change = 'created' | 'configured' | 'unchanged' | 'unchecked';

export interface AppliedObject {
  /** `apiservice/v1.example.com` */
  readonly object: string;
  readonly change: Change;
}

/** What `unregister` did to an object, or would do. */
export interface RemovedObject {
  readonly object: string;
  readonly change: 'deleted' | 'restored' | 'left';
  /** Why it is left, or what could not be restored. */
  readonly reason?: string;
}

/** What an operation reports while it runs. Reporters turn it into lines. */
export type Progress =
  | { readonly kind: 'step'; readonly what: string }
  /** A step that was done before. */
  | { readonly kind: 'skipped'; readonly what: string }
  | { readonly kind: 'applied'; readonly applied: AppliedObject }
  | { readonly kind: 'removed'; readonly removed: RemovedObject }
  | { readonly kind: 'waiting'; readonly what: string; readonly last: string }
  /** An object of another project now belongs to this one. */
  | { readonly kind: 'taken-over'; readonly object: string; readonly from: string }
  | { readonly kind: 'restored'; readonly object: string; readonly conflicts: readonly Conflict[] }
  | { readonly kind: 'note'; readonly what: string };

export type OnProgress = (progress: Progress) => void;
