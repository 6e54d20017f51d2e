import type { Diagnosis } from '../../diagnosis/types.ts';
import type { AppliedObject, RemovedObject } from '../progress.ts';

/** What `secure` or `secure --undo` did. */
export interface SecureReport {
  readonly outcome: 'secured' | 'nothing-to-do' | 'undone' | 'nothing-to-undo';
  /** The APIService. */
  readonly name: string;
  readonly applied?: readonly AppliedObject[];
  /** What --undo restored or deleted. */
  readonly removed?: readonly RemovedObject[];
  /** The project directory. */
  readonly project?: string;
  /** The Secret of others that holds the certificate, `namespace/name`. */
  readonly secret?: string;
  readonly diagnosis?: Diagnosis;
}

/** What `secure --diff` would do. */
export interface SecurePreview extends Pick<SecureReport, 'name' | 'applied'> {
  readonly outcome: 'planned';
}
