import { counted } from '../config/counted.ts';
import { removedVersions } from '../snapshot/offline/removed.ts';
import type { FilesView } from '../snapshot/types.ts';
import type { Code } from './catalog.ts';
import { locationText } from './locations.ts';
import type { Location, Observation } from './types.ts';

/** An observation about files, and their places. */
export interface FileObservation extends Observation {
  readonly places: readonly Location[];
}

const codes = {
  unreadable: 'manifest/unreadable',
  syntax: 'manifest/syntax',
  template: 'manifest/template',
  kustomization: 'manifest/kustomization',
  'removed-version': 'manifest/removed-version',
  'workload-selector': 'manifest/workload-selector',
  'duplicate-object': 'manifest/duplicate-object',
} as const satisfies Readonly<Record<FilesView['faults'][number]['kind'], Code>>;

type Fault = FilesView['faults'][number];

/**
 * The files that could not be checked, or not applied. The templates of one chart or directory are
 * one observation.
 */
export function fileObservations({ faults }: FilesView): readonly FileObservation[] {
  const groups = new Map<unknown, Fault[]>();
  for (const fault of faults) {
    const key = fault.kind === 'template' ? (chartOf(fault.file) ?? directoryOf(fault.file)) : fault;
    groups.set(key, [...(groups.get(key) ?? []), fault]);
  }
  return [...groups.values()].flatMap(([first, ...others]) => (first ? [observationOf(first, others)] : []));
}

function observationOf(first: Fault, others: readonly Fault[]): FileObservation {
  const { file, kind, apiVersion = '', words } = first;
  const { since = '', current = '', needs } = removedVersions.get(apiVersion) ?? {};
  const args = { chart: chartOf(file) ?? 'CHART', dir: directoryOf(file), apiVersion, since, current, needs: needs ? ` ${needs}` : '' };
  const more = others.length > 0 ? [`the same in ${counted(others.length, 'other file')}`] : [];
  return { code: codes[kind], evidence: [words, ...more], args, places: [first, ...others].map(placeOf) };
}

const placeOf = ({ file, line, column }: Fault): Location => ({
  file,
  ...(line === undefined ? {} : { line }),
  ...(column === undefined ? {} : { column }),
});

/** The chart that a file belongs to, by its path: `CHART/templates/...` or `CHART/Chart.yaml`. */
const chartOf = (file: string): string | undefined =>
  /^(.+?)[\\/]templates[\\/]/.exec(file)?.[1] ?? (/(?:^|[\\/])Chart\.yaml$/.test(file) ? directoryOf(file) : undefined);

const directoryOf = (file: string): string => /^(.*)[\\/]/.exec(file)?.[1] ?? '.';

/** Objects that are not checked, one line each. */
export const skippedOf = ({ skipped }: FilesView) =>
  skipped.map(({ what, why, ...place }) => ({ what: `${what} (${locationText(place)})`, why: `skipped: ${why}` }));
