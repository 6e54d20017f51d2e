import type { Diagnosis, DiagnosisList, Finding, Verdict } from '../diagnosis/types.ts';
import { Exit, type ExitCode } from '../errors.ts';

/** The verdict of many. */
export function worstOf(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes('broken')) return 'broken';
  return verdicts.includes('unknown') ? 'unknown' : 'healthy';
}

/**
 * What a verdict means for the exit code. Where some APIs are healthy and nothing is known of others, the cluster was reached all the same.
 * @param strict whether not to know is as bad as that
 */
export function exitCodeOf({ verdict, apis }: Pick<Diagnosis, 'verdict' | 'apis'>, strict = false): ExitCode {
  if (verdict === 'broken') return Exit.findings;
  return verdict === 'unknown' && (strict || apis.every((api) => api.verdict === 'unknown')) ? Exit.unreachable : Exit.ok;
}

/** The same for several clusters: a cluster that could not be looked at is not passed over. */
export function listExitCode({ clusters }: DiagnosisList, strict: boolean): ExitCode {
  const codes = clusters.map(({ diagnosis }) => (diagnosis ? exitCodeOf(diagnosis, strict) : Exit.unreachable));
  return codes.find((code) => code === Exit.findings) ?? codes.find((code) => code !== Exit.ok) ?? Exit.ok;
}

/** Of which APIs with a Service nobody knows when their certificate ends. */
export const withoutDate = ({ apis }: Pick<Diagnosis, 'apis'>): readonly string[] =>
  apis.flatMap(({ name, overview: { service, expires } }) => (service !== undefined && expires === undefined ? [name] : []));

/** Whether a certificate ends within the time that the diagnosis was asked to look ahead. */
export const expiresSoon = ({ apis }: Pick<Diagnosis, 'apis'>): boolean => apis.some(({ findings }) => findings.some(saysSo));

const saysSo = ({ code, explains }: Finding): boolean => code.endsWith('expires-soon') || explains.some(saysSo);
