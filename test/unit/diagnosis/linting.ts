import { basename } from 'node:path';
import { diagnose } from '../../../src/diagnosis/diagnose.ts';
import type { DiagnoseOptions, Diagnosis, Finding } from '../../../src/diagnosis/types.ts';
import { readManifests } from '../../../src/project/manifests.ts';
import { offlineSnapshot } from '../../../src/snapshot/offline/snapshot.ts';
import { now } from './snapshots.ts';

/** What lint finds in the manifests of test/fixtures/lint, and in an APIService of a test. */

export const fixtures = 'test/fixtures/lint';

export function linted(name: string, options: DiagnoseOptions = {}): Diagnosis {
  const { texts, unread } = readManifests(`${fixtures}/${name}`);
  const { snapshot, place } = offlineSnapshot(
    texts,
    now,
    unread.map(({ fault }) => fault),
  );
  return diagnose(snapshot, { place, ...options });
}

export function lintedText(text: string, options: DiagnoseOptions = {}): Diagnosis {
  const { snapshot, place } = offlineSnapshot([{ file: 'a.yaml', text }], now);
  return diagnose(snapshot, { place, ...options });
}

export const findingsOf = ({ apis, files }: Diagnosis): readonly Finding[] => [
  ...(files?.findings ?? []),
  ...apis.flatMap(({ findings }) => findings),
];

/** `error bundle/empty 12`: severity, code and lines. */
export const linesOf = (diagnosis: Diagnosis): readonly string[] =>
  findingsOf(diagnosis).map(({ severity, code, locations = [] }) =>
    [severity, code, ...locations.map(({ file, line }) => line ?? basename(file))].join(' '),
  );

export const only = (diagnosis: Diagnosis): Finding => findingsOf(diagnosis)[0] as Finding;

export const apiService = (spec: string, more = ''): string =>
  `apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {name: v1.a.example.com}\n${more}spec:\n  group: a.example.com\n  version: v1\n  groupPriorityMinimum: 1000\n  versionPriority: 15\n  service: {name: api, namespace: ns}\n${spec}`;
export const insecure = '  insecureSkipTLSVerify: true\n';
