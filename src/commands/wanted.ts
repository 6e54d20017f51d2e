import { apiServiceNamePattern } from '../config/registration.ts';
import { UsageError } from '../errors.ts';
import type { Wanted } from '../snapshot/types.ts';

export interface WantedFlags {
  readonly directory: string;
  readonly all?: boolean;
  readonly selector?: string;
}

/**
 * Which APIServices a command line means: names, --all, --selector, or else those of the project.
 * @throws UsageError when it says two of them, or none and there is no project
 */
export async function wantedOf({ directory, all, selector }: WantedFlags, given: readonly string[]): Promise<Wanted> {
  const choices = [given.length > 0, all === true, selector !== undefined].filter(Boolean);
  if (choices.length > 1) throw new UsageError('names, --all and --selector each say which APIServices are meant; use one of them');
  if (all) return { all };
  if (selector !== undefined) return { labelSelector: selector };
  return { names: given.length > 0 ? [...new Set(given.map(requireName))] : await projectNames(directory) };
}

/** What is being looked at, for people. */
export function wantedWords(wanted: Wanted): string {
  if ('names' in wanted) return wanted.names.join(', ');
  return 'all' in wanted ? 'all APIServices' : `APIServices with ${wanted.labelSelector}`;
}

/**
 * Reads the name of an APIService. `kubectl get apiservice` prints names; a resource prefix as in `apiservice/NAME` is taken off, since kubectl prints
 * that too (-o name).
 * @throws UsageError
 */
export function requireName(text: string): string {
  const name = text.replace(/^apiservices?(\.apiregistration\.k8s\.io)?\//, '');
  if (apiServiceNamePattern.test(name)) return name;
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
      fix: 'apisvc verify NAME, apisvc verify --all, or -C with the directory of a project.',
    });
  }
  return apiServiceNames(readRegistration(dir));
}
