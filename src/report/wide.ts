import type { ChalkInstance } from 'chalk';
import { daysBetween } from '../diagnosis/days.ts';
import type { ApiDiagnosis, Diagnosis, DiagnosisList } from '../diagnosis/types.ts';
import { printable } from '../pki/printable.ts';
import { codesOf, notCheckedCount } from './verdict.ts';

const columns = ['NAME', 'SERVICE', 'AVAILABLE', 'VERDICT', 'ENDPOINTS', 'EXPIRES', 'FINDINGS'] as const;

/** A table with one row for each API. */
export const diagnosisWide = (diagnosis: Diagnosis, colors: ChalkInstance): string =>
  table([columns, ...diagnosis.apis.map((api) => row(api, diagnosis))], columns.indexOf('VERDICT'), colors);

/** One table for several clusters, with a column for the context. */
export const listWide = ({ clusters }: DiagnosisList, colors: ChalkInstance): string =>
  table(
    [
      ['CONTEXT', ...columns],
      ...clusters.flatMap(({ context, diagnosis, error = '' }) =>
        diagnosis
          ? diagnosis.apis.map((api) => [context, ...row(api, diagnosis)])
          : [[context, ...columns.map((column) => ({ VERDICT: 'unknown', FINDINGS: error })[column as string] ?? '-')]],
      ),
    ],
    columns.indexOf('VERDICT') + 1,
    colors,
  );

function row(api: ApiDiagnosis, { takenAt }: Diagnosis): string[] {
  const { service = '-', available = '-', endpoints, expires } = api.overview;
  return [
    api.name,
    service,
    available,
    api.verdict,
    endpoints ? `${endpoints.ready}/${endpoints.total}` : '-',
    expires === undefined ? '-' : expiryText(expires, takenAt),
    [...(codesOf(api).length > 0 ? [codesOf(api).join(',')] : []), ...notCheckedCount(api)].join(' ') || '-',
  ];
}

/** `2026-07-15 (30d)` or `2019-02-19 (expired)` */
function expiryText(expires: string, now: string): string {
  const [at, from] = [new Date(expires), new Date(now)];
  return `${expires.slice(0, 10)} (${at < from ? 'expired' : `${daysBetween(from, at)}d`})`;
}

/** Aligns columns as kubectl does: three spaces between them, none after the last. */
export function table(rows: readonly (readonly string[])[], verdictColumn: number, { red, yellow, green, bold }: ChalkInstance): string {
  const cells = rows.map((each) => each.map(printable));
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((each) => each[column]?.length ?? 0)));
  const paints = new Map([
    ['broken', red],
    ['unknown', yellow],
    ['healthy', green],
  ]);
  const paint = (cell: string, text: string): string => paints.get(cell)?.(text) ?? text;
  const lines = cells.map((each, index) => {
    const padded = each.map((cell, column) => (column === each.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)));
    if (index === 0) return bold(padded.join('   '));
    return padded.map((text, column) => (column === verdictColumn ? paint(each[column] ?? '', text) : text)).join('   ');
  });
  return `${lines.join('\n')}\n`;
}
