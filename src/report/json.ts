import type { Diagnosis, DiagnosisList } from '../diagnosis/types.ts';
import type { AppliedObject } from '../operations/events.ts';
import type { Snapshot } from '../snapshot/types.ts';
import { printableQuoted } from './printable.ts';

/** JSON.stringify leaves C1 controls and marks of direction as they are; in JSON they only occur within quotes. */
const json = (value: unknown): string => `${printableQuoted(JSON.stringify(value, undefined, 2))}\n`;

/** The diagnosis as it is; its `apiVersion` says which shape that is. */
export const diagnosisJson = (diagnosis: Diagnosis | DiagnosisList): string => json(diagnosis);

/** A snapshot as `--save` keeps it and `--from` reads it. */
export const snapshotJson = (snapshot: Snapshot): string => json(snapshot);

/** What `register` did, or would have done. */
export interface RegisterReport {
  readonly dryRun?: 'client' | 'server';
  readonly wouldApply?: readonly string[];
  readonly applied?: readonly AppliedObject[];
  readonly diagnosis?: Diagnosis;
}

/** The outcome of `register` for scripts. */
export const resultJson = (report: RegisterReport): string => json({ apiVersion: 'apisvc.dev/register/v1alpha1', ...report });
