import { Chalk, type ChalkInstance } from 'chalk';
import type { ApiDiagnosis, Diagnosis, DiagnosisList } from '../diagnosis/types.ts';
import { printable } from '../pki/printable.ts';
import type { Source } from '../snapshot/types.ts';
import { sectionsOf } from './sections.ts';
import { codesOf, mark, notCheckedCount, verdictLabel } from './verdict.ts';

/**
 * One line for each API: mark, name, verdict, codes of its findings, number of checks that did not
 * run.
 */
export const diagnosisShort = (diagnosis: Diagnosis, colors: ChalkInstance): string =>
  sectionsOf(diagnosis)
    .map((api) => `${line(api, diagnosis.source, colors)}\n`)
    .join('');

/** Several clusters: each name has its context as a prefix, as in `staging/v1.example.com`. */
export const listShort = ({ clusters }: DiagnosisList, colors: ChalkInstance): string =>
  clusters
    .flatMap(({ context, diagnosis, error }) =>
      diagnosis
        ? diagnosis.apis.map((api) => line({ ...api, name: `${context}/${api.name}` }, diagnosis.source, colors))
        : [`${mark('unknown', colors)} ${printable(`${context} unknown ${error}`)}`],
    )
    .map((each) => `${each}\n`)
    .join('');

const line = (api: ApiDiagnosis, source: Source, colors: ChalkInstance): string =>
  [mark(api.verdict, colors), printable(api.name), verdictLabel(api.verdict, source), ...codesOf(api), ...notCheckedCount(api)].join(' ');

/** The line of one API without colors, for logs. */
export const apiLine = (api: ApiDiagnosis, source: Source): string => line(api, source, new Chalk({ level: 0 }));
