import type { Diagnosis, DiagnosisList } from '../diagnosis/types.ts';
import { Exit, type ExitCode } from '../errors.ts';

/** The exit code of a diagnosis. It is 0 only if the diagnosis has no reason to fail. */
export function exitCodeOf({ verdict, failure }: Pick<Diagnosis, 'verdict' | 'failure'>): ExitCode {
  if (failure === undefined) return Exit.ok;
  return verdict === 'broken' ? Exit.findings : Exit.unreachable;
}

/** The exit code for several clusters. A cluster that could not be checked fails the command. */
export function listExitCode({ clusters }: DiagnosisList): ExitCode {
  const codes: number[] = clusters.map(({ diagnosis, exitCode }) => (diagnosis ? exitCodeOf(diagnosis) : (exitCode ?? Exit.unreachable)));
  return [Exit.findings, Exit.unreachable, Exit.deadline].find((code) => codes.includes(code)) ?? Exit.ok;
}
