import { apiServiceNamePattern } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import type { FixProject } from '../diagnosis/fix.ts';
import { UsageError } from '../errors.ts';
import type { Wanted } from '../snapshot/types.ts';

export interface Selection {
  readonly wanted: Wanted;
  /** Where the names come from, if nothing else selects them. */
  readonly project?: FixProject;
}

export interface SelectionFlags {
  readonly directory: string;
  readonly all?: boolean;
  readonly selector?: string;
}

/**
 * Selects APIServices by names, --all or --selector; without any of them, those of the project.
 * @throws UsageError for two of them, or for none without a project
 */
export async function selectionOf({ directory, all, selector }: SelectionFlags, given: readonly string[]): Promise<Selection> {
  const choices = [given.length > 0, all === true, selector !== undefined].filter(Boolean);
  if (choices.length > 1)
    throw new UsageError('names, --all and --selector cannot be used together', {
      fix: 'Pass only names, only --all, or only --selector.',
    });
  if (all) return { wanted: { all } };
  if (selector !== undefined) return { wanted: { labelSelector: selector } };
  return given.length > 0 ? { wanted: { names: [...new Set(given.map(parseName))] } } : ofProject(directory);
}

/** The project of a directory, for the commands in fixes. */
export const fixProject = (directory: string, { spec }: Registration): FixProject => ({
  directory,
  ownCa: spec.certificates.issuer.type === 'ca',
});

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
async function ofProject(dir: string): Promise<Selection> {
  const { isProject, readRegistration, requireDirectory } = await import('../project/project.ts');
  const { apiServiceNames } = await import('../config/registration.ts');
  if (!isProject(dir)) {
    requireDirectory(dir);
    throw new UsageError(`no APIService given, and no apisvc.yaml in ${dir === '.' ? 'this directory' : dir}`, {
      fix: 'Pass the name of an APIService or --all, or set the project directory with -C.',
    });
  }
  const registration = readRegistration(dir);
  return { wanted: { names: apiServiceNames(registration) }, project: fixProject(dir, registration) };
}
