import type { ObjectField } from '../snapshot/offline/objects.ts';
import { fileText } from '../snapshot/offline/read.ts';
import { entryOf } from './catalog.ts';
import type { ApiDiagnosis, Finding, Location, Observation } from './types.ts';

/** The field of the APIService that the findings of a family are about. */
const familyFields: Readonly<Record<string, readonly string[]>> = {
  bundle: ['spec', 'caBundle'],
  cert: ['spec', 'caBundle'],
  service: ['spec', 'service'],
  registration: ['spec'],
};

/** What an observation is about. */
export const fieldOf = ({ code, about }: Observation, name: string): ObjectField =>
  about ?? { kind: 'APIService', name, path: entryOf(code).field ?? familyFields[code.split('/')[0] ?? ''] ?? [] };

/** `deploy/api.yaml:12` */
export const locationText = ({ file, line, column }: Location): string =>
  [fileText(file), line, column].filter((part) => part !== undefined).join(':');

/**
 * Marks the findings that an earlier API of the same Service has too, and adds their places to the
 * first one. Several versions of one server mostly share their faults.
 */
export function markRepeated(apis: readonly ApiDiagnosis[]): readonly ApiDiagnosis[] {
  const first = new Map<string, { readonly name: string; readonly locations: Location[] }>();
  const marked = apis.map((api) => ({
    ...api,
    findings: api.findings.map((finding): Finding => {
      const { service } = api.overview;
      const key = JSON.stringify([service, finding.code, finding.severity, finding.evidence]);
      const earlier = service === undefined ? undefined : first.get(key);
      if (!earlier) {
        const locations = [...(finding.locations ?? [])];
        first.set(key, { name: api.name, locations });
        return { ...finding, ...(finding.locations ? { locations } : {}) };
      }
      for (const place of finding.locations ?? []) {
        if (!earlier.locations.some((known) => locationText(known) === locationText(place))) earlier.locations.push(place);
      }
      return { ...finding, sameAs: earlier.name };
    }),
  }));
  return marked;
}
