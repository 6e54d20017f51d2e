import type { ApiDiagnosis, Diagnosis } from '../../diagnosis/types.ts';

/**
 * The APIs whose verdict or findings have changed. Without a diagnosis before, those that are not
 * healthy. An API that is gone is not one of them.
 */
export function changedApis(before: Diagnosis | undefined, after: Diagnosis): readonly ApiDiagnosis[] {
  const known = new Map(before?.apis.map((api) => [api.name, keyOf(api)]));
  return after.apis.filter((api) => keyOf(api) !== (known.get(api.name) ?? healthyKey));
}

/**
 * Whether a difference may be over soon: it begins and ends with each renewal, and no watch tells
 * when, because Secrets are not watched.
 */
export const mayResolveSoon = ({ apis }: Diagnosis): boolean =>
  apis.some(({ findings }) => findings.some(({ code }) => code === 'cert/secret-differs'));

const keyOf = ({ verdict, findings }: Pick<ApiDiagnosis, 'verdict' | 'findings'>): string =>
  [verdict, ...new Set(findings.map(({ code }) => code))].join(' ');

const healthyKey = keyOf({ verdict: 'healthy', findings: [] });
