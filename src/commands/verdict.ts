import type { Diagnosis, DiagnosisList, Finding } from '../diagnosis/types.ts';
import { Exit, type ExitCode } from '../errors.ts';

/**
 * The exit code for a verdict. If some APIs are healthy and others unknown, the cluster was
 * reachable.
 * @param strict - whether any unknown API fails the command
 */
export function exitCodeOf({ verdict, apis }: Pick<Diagnosis, 'verdict' | 'apis'>, strict = false): ExitCode {
  if (verdict === 'broken') return Exit.findings;
  return verdict === 'unknown' && (strict || apis.every((api) => api.verdict === 'unknown')) ? Exit.unreachable : Exit.ok;
}

/** The exit code for several clusters. A cluster that could not be checked fails the command. */
export function listExitCode({ clusters }: DiagnosisList, strict: boolean): ExitCode {
  const codes = clusters.map(({ diagnosis }) => (diagnosis ? exitCodeOf(diagnosis, strict) : Exit.unreachable));
  return codes.find((code) => code === Exit.findings) ?? codes.find((code) => code !== Exit.ok) ?? Exit.ok;
}

/** The APIs with a Service whose serving certificate was not seen, so its expiry is not known. */
export const unknownExpiry = ({ apis }: Pick<Diagnosis, 'apis'>): readonly string[] =>
  apis.flatMap(({ name, overview: { service, expires } }) => (service !== undefined && expires === undefined ? [name] : []));

/** Whether a certificate expires within the duration of --fail-if-expires-within. */
export const expiresSoon = ({ apis }: Pick<Diagnosis, 'apis'>): boolean => apis.some(({ findings }) => findings.some(isExpiry));

const isExpiry = ({ code, explains }: Finding): boolean => code.endsWith('expires-soon') || explains.some(isExpiry);
