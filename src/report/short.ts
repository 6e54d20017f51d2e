import type { ChalkInstance } from 'chalk';
import type { ApiDiagnosis, Diagnosis, DiagnosisList } from '../diagnosis/types.ts';
import { printable } from './printable.ts';
import { codesOf, mark, notCheckedCount } from './verdict.ts';

/** One line an API: mark, name, verdict, codes of its findings, how much could not be looked at. */
export const diagnosisShort = ({ apis }: Diagnosis, colors: ChalkInstance): string => apis.map((api) => `${line(api, colors)}\n`).join('');

/** The same of several clusters; the name of the context stands before each name: `staging/v1.example.com`. */
export const listShort = ({ clusters }: DiagnosisList, colors: ChalkInstance): string =>
  clusters
    .flatMap(({ context, diagnosis, error }) =>
      diagnosis
        ? diagnosis.apis.map((api) => line({ ...api, name: `${context}/${api.name}` }, colors))
        : [`${mark('unknown', colors)} ${printable(`${context} unknown ${error}`)}`],
    )
    .map((each) => `${each}\n`)
    .join('');

const line = (api: ApiDiagnosis, colors: ChalkInstance): string =>
  [mark(api.verdict, colors), printable(api.name), api.verdict, ...codesOf(api), ...notCheckedCount(api)].join(' ');
