import type { Diagnosis } from '../verify/types.ts';
import type { AppliedObject } from '../workflows/events.ts';
import { escapeControls } from './printable.ts';

/** JSON escapes the control characters below U+0020 by itself; terminals act on others as well. Only strings can hold them, where an escape is the same. */
const json = (value: unknown): string => `${escapeControls(JSON.stringify(value, undefined, 2))}\n`;

/** The diagnosis as it is; its `apiVersion` says which shape that is. */
export const diagnosisJson = (diagnosis: Diagnosis): string => json(diagnosis);

/** What `register` did, or would have done. */
export interface RegisterReport {
  readonly dryRun?: 'client' | 'server';
  readonly wouldApply?: readonly string[];
  readonly applied?: readonly AppliedObject[];
  readonly diagnosis?: Diagnosis;
}

/** The outcome of `register` for scripts. */
export const resultJson = (report: RegisterReport): string => json({ apiVersion: 'apisvc.dev/register/v1alpha1', ...report });
