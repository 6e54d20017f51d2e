import { apiServiceNamePattern } from '../config/registration.ts';
import { UsageError } from '../errors.ts';
import type { Wanted } from '../snapshot/types.ts';

export interface SelectionFlags {
  readonly directory: string;
  readonly all?: boolean;
  readonly selector?: string;
}

/**
 * Selects APIServices by names, --all or --selector; without any of them, those of the project.
 * @throws UsageError for two of them, or for none without a project
 */
export async function selectionOf({ directory, all, selector }: SelectionFlags, given: readonly string[]): Promise<Wanted> {
  const choices = [given.length > 0, all === true, selector !== undefined].filter(Boolean);
  if (choices.length > 1)
    throw new UsageError('names, --all and --selector cannot be used together', {
      fix: 'Pass only names, only --all, or only --selector.',
    });
  if (all) return { all };
  if (selector !== undefined) return { labelSelector: selector };
  return { names: given.length > 0 ? [...new Set(given.map(parseName))] : await projectNames(directory) };
}

/** Describes a selection in messages. */
export function describeSelection(wanted: Wanted): string {
  if ('names' in wanted) return wanted.names.join(', ');
  return 'all' in wanted ? 'all APIServices' : `APIServices with labels ${wanted.labelSelector}`;
}

/**
 * Parses the name of an APIService, also in the form `apiservice/NAME` of `kubectl get -o name`.
 * @throws UsageError if it is not <version>.<group>
 */
export function parseName(text: string): string {
  const name = text.replace(/^apiservices?(\.apiregistration\.k8s\.io)?\//, '');
  if (apiServiceNamePattern.test(name)) return name;
  throw new UsageError(`invalid APIService name "${text}"`, {
    fix: 'Use <version>.<group>, for example v1beta1.metrics.k8s.io.',
  });
}

/**
 * Imported only if no name is given: loading the schema of a project takes longer than a diagnosis.
 */
async function projectNames(dir: string): Promise<string[]> {
  const { isProject, readRegistration, requireDirectory } = await import('../project/project.ts');
  const { apiServiceNames } = await import('../config/registration.ts');
  if (!isProject(dir)) {
    requireDirectory(dir);
    throw new UsageError(`no APIService given, and no apisvc.yaml in ${dir === '.' ? 'this directory' : dir}`, {
      fix: 'Pass the name of an APIService or --all, or set the project directory with -C.',
    });
  }
  return apiServiceNames(readRegistration(dir));
}
