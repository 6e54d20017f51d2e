import type { FilesView } from '../snapshot/types.ts';
import type { Code } from './catalog.ts';
import { locationText } from './locations.ts';
import type { Location, Observation } from './types.ts';

/** An observation about a file, and its place. */
export interface FileObservation extends Observation {
  readonly place: Location;
}

const codes = {
  unreadable: 'manifest/unreadable',
  syntax: 'manifest/syntax',
  template: 'manifest/template',
  kustomization: 'manifest/kustomization',
} as const satisfies Readonly<Record<FilesView['faults'][number]['kind'], Code>>;

/** The files that could not be checked. */
export const fileObservations = ({ faults }: FilesView): readonly FileObservation[] =>
  faults.map(({ file, kind, line, column, words }) => {
    const place = { file, ...(line === undefined ? {} : { line }), ...(column === undefined ? {} : { column }) };
    const args = { chart: chartOf(file) ?? 'CHART', dir: directoryOf(file) };
    return { code: codes[kind], evidence: [words], args, place };
  });

/** The chart that a template belongs to, by its path: `CHART/templates/...`. */
const chartOf = (file: string): string | undefined => /^(.+?)[\\/]templates[\\/]/.exec(file)?.[1];

const directoryOf = (file: string): string => /^(.*)[\\/]/.exec(file)?.[1] ?? '.';

/** Objects that are not checked, one line each. */
export const skippedOf = ({ skipped }: FilesView) =>
  skipped.map(({ what, why, ...place }) => ({ what: `${what} (${locationText(place)})`, why: `skipped: ${why}` }));
