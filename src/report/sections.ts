import type { ApiDiagnosis, Diagnosis, Finding, Verdict } from '../diagnosis/types.ts';

/** The name of the section about files that hold no API that can be checked. */
export const filesSection = 'files';

/** A section of a report: an API, or what could not be checked. */
export interface Section extends ApiDiagnosis {
  /** Why a whole cluster could not be checked. */
  readonly error?: string;
}

/** The sections of a report: files that could not be checked, then every API. */
export function sectionsOf({ apis, files }: Pick<Diagnosis, 'apis' | 'files'>): readonly Section[] {
  if (!files || files.findings.length + files.notChecked.length === 0) return apis;
  const verdict = files.findings.some(({ severity }) => severity === 'error') ? 'broken' : 'healthy';
  return [{ name: filesSection, verdict, overview: {}, facts: [], path: [], ...files }, ...apis];
}

/** The name of standard input among files. */
const standardInput = '-';

/** Where a finding is, for formats that open the file. Standard input is no file. */
export const placesOf = (locations: Finding['locations'] = []) => locations.filter(({ file }) => file !== standardInput);

/** Healthy, without findings or gaps. */
export const isBrief = ({ verdict, findings, notChecked }: ApiDiagnosis): boolean =>
  verdict === 'healthy' && findings.length === 0 && notChecked.length === 0;

/** APIs in the order of their verdicts. */
export const byVerdict = (apis: readonly ApiDiagnosis[], order: readonly Verdict[]): readonly ApiDiagnosis[] =>
  order.flatMap((verdict) => apis.filter((api) => api.verdict === verdict));
