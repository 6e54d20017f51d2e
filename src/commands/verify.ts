import { Exit, type ExitCode, UsageError } from '../errors.ts';
import { diagnosisJson } from '../report/json.ts';
import { diagnosisText } from '../report/text.ts';
import type { Verdict } from '../verify/types.ts';
import { verifyUntilHealthy } from '../workflows/verify.ts';
import { type ClusterFlags, withCluster } from './cluster.ts';
import type { Terminal } from './terminal.ts';

export interface VerifyFlags extends ClusterFlags {
  readonly directory: string;
  readonly output: 'text' | 'json';
  readonly wait?: boolean;
}

/** What a verdict means for the exit code. */
export const exitCodeOf = (verdict: Verdict): ExitCode => ({ healthy: Exit.ok, broken: Exit.verdict, unknown: Exit.unreachable })[verdict];

/** `apisvc verify`: looks, diagnoses, reports. */
export async function verify(flags: VerifyFlags, given: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const names = given.length > 0 ? given.map(requireName) : await projectNames(flags.directory);
  const diagnosis = await withCluster(flags, terminal, `looking at ${names.join(', ')}`, (cluster, signal) => {
    if (flags.wait) terminal.progress(`waiting for ${names.join(', ')} to be healthy, at most ${flags.timeout / 1000}s`);
    // With --wait only the deadline ends it.
    return verifyUntilHealthy(cluster, names, flags.wait ? signal : AbortSignal.abort(), signal);
  });
  await terminal.result(flags.output === 'json' ? diagnosisJson(diagnosis) : diagnosisText(diagnosis, terminal.outColors));
  return exitCodeOf(diagnosis.verdict);
}

/** `kubectl get apiservice` prints names; a resource prefix as in `apiservice/NAME` is taken off, since kubectl prints that too (-o name). */
function requireName(text: string): string {
  const name = text.replace(/^apiservices?(\.apiregistration\.k8s\.io)?\//, '');
  if (/^[a-z][-a-z0-9]*\.([-a-z0-9.]*)$/.test(name)) return name;
  throw new UsageError(`"${text}" is not the name of an APIService`, {
    fix: 'Names are <version>.<group>, for example v1beta1.metrics.k8s.io.',
  });
}

/** Only where no name is given: the schema of a project takes longer to load than a diagnosis takes. */
async function projectNames(dir: string): Promise<string[]> {
  const { isProject, readRegistration } = await import('../project/project.ts');
  const { apiServiceNames } = await import('../config/registration.ts');
  if (!isProject(dir)) {
    throw new UsageError(`no APIService is named, and there is no project in ${dir === '.' ? 'this directory' : dir}`, {
      fix: 'apisvc verify NAME, or -C with the directory of a project.',
    });
  }
  return apiServiceNames(readRegistration(dir));
}
