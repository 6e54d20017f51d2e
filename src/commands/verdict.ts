import type { Diagnosis, DiagnosisList } from '../diagnosis/types.ts';
import { Exit, type ExitCode } from '../errors.ts';

/** The exit code of a diagnosis. It is 0 only if the diagnosis has no reason to fail. */
export function exitCodeOf({ verdict, failure }: Pick<Diagnosis, 'verdict' | 'failure'>): ExitCode {
  if (failure === undefined) return Exit.ok;
  return verdict === 'broken' ? Exit.findings : Exit.unreachable;
}

/** The exit code for several clusters. A cluster that could not be checked fails the command. */
export function listExitCode({ clusters }: DiagnosisList): ExitCode {
  const codes = clusters.map(({ diagnosis }) => (diagnosis ? exitCodeOf(diagnosis) : Exit.unreachable));
  return codes.find((code) => code === Exit.findings) ?? codes.find((code) => code !== Exit.ok) ?? Exit.ok;
}
