import type { Status } from '../diagnosis/status.ts';
import type { ClusterResult, Diagnosis, DiagnosisList, Verdict } from '../diagnosis/types.ts';
import type { AppliedObject } from '../operations/progress.ts';
import { printableQuoted } from '../pki/printable.ts';
import type { Snapshot } from '../snapshot/types.ts';

/**
 * JSON.stringify does not escape C1 controls and bidirectional marks; in JSON, they occur only in
 * strings.
 */
export const json = (value: unknown): string => `${printableQuoted(JSON.stringify(value, undefined, 2))}\n`;

/** The diagnosis; `apiVersion` names its schema. */
export const diagnosisJson = (diagnosis: Diagnosis | DiagnosisList): string => json(diagnosis);

/** A list of diagnoses that is written while it is made: the clusters first, the verdict last. */
export const listJson = {
  cluster(result: ClusterResult, isFirst: boolean): string {
    const text = json(result).trimEnd().replaceAll(/^/gm, '    ');
    return isFirst ? `{\n  "apiVersion": "apisvc.dev/diagnosis-list/v1alpha1",\n  "clusters": [\n${text}` : `,\n${text}`;
  },
  end: (verdict: Verdict): string => `\n  ],\n  "verdict": ${JSON.stringify(verdict)}\n}\n`,
};

/** A snapshot, as `--save` writes it and `--from` reads it. */
export const snapshotJson = (snapshot: Snapshot): string => json(snapshot);

/** The result of `status -o json`. */
export const statusJson = (status: Status): string => json(status);

/** The changes of `register`, or of its dry run. */
export interface RegisterReport {
  readonly dryRun?: 'client' | 'server';
  readonly wouldApply?: readonly string[];
  readonly applied?: readonly AppliedObject[];
  readonly diagnosis?: Diagnosis;
}

/** The result of `register -o json`. */
export const resultJson = (report: RegisterReport): string => json({ apiVersion: 'apisvc.dev/register/v1alpha1', ...report });
