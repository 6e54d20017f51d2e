import { join } from 'node:path';
import { fileExists } from '../config/file-errors.ts';
import type { ProjectCommands } from '../config/project-commands.ts';
import { apiServiceNamePattern, caSecretName, secretName } from '../config/registration.ts';
import { hasServingSecret } from '../config/responsibilities.ts';
import type { Registration } from '../config/schema.ts';
import { ApisvcError, UsageError } from '../errors.ts';
import { didYouMean, similarNames } from '../snapshot/similar-names.ts';
import type { Declared, Project, Wanted } from '../snapshot/types.ts';
import type { Terminal } from './terminal.ts';

export interface Selection {
  readonly wanted: Wanted;
  /** The project that all of them belong to, for the commands in fixes. */
  readonly project?: ProjectCommands;
  /** The project to compare them with. */
  readonly compared?: Project;
  /** What the configuration of that project names. */
  readonly declared?: Declared;
  /** The configuration of the project, if the selection needed it. */
  readonly registration?: Registration;
}

export interface SelectionFlags {
  readonly directory: string;
  readonly all?: boolean;
  readonly selector?: string;
}

/**
 * Selects APIServices by names, --all or --selector; without any of them, those of the project.
 * @param choices what the command takes instead of a project, for the fix
 * @throws UsageError for two of them, or for none without a project
 */
export async function selectionOf(
  { directory, all, selector }: SelectionFlags,
  given: readonly string[],
  choices = 'the name of an APIService',
): Promise<Selection> {
  const chosen = [given.length > 0, all === true, selector !== undefined].filter(Boolean);
  if (chosen.length > 1)
    throw new UsageError('names, --all and --selector cannot be used together', {
      fix: 'Pass only names, only --all, or only --selector.',
    });
  if (all) return { wanted: { all } };
  if (selector !== undefined) return { wanted: { labelSelector: selector } };
  return given.length > 0 ? { wanted: { names: [...new Set(given.map(parseName))] } } : ofProject(directory, choices);
}

/** The project of a directory, for the commands in fixes. */
export const projectCommands = (directory: string, { spec }: Registration): ProjectCommands => ({
  directory,
  issuer: spec.certificates.issuer.type,
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
  throw new InvalidNameError(name, text);
}

/** A name that no APIService can have. */
export class InvalidNameError extends UsageError {
  constructor(
    readonly given: string,
    readonly text: string,
    similar: readonly string[] = [],
  ) {
    super(`invalid APIService name "${text}"`, {
      fix: didYouMean(similar)[0] ?? 'Use <version>.<group>, for example v1beta1.metrics.k8s.io.',
    });
  }

  /** The same error with the names that were probably meant. */
  suggesting = (known: readonly string[]): InvalidNameError => new InvalidNameError(this.given, this.text, similarNames(this.given, known));
}

/**
 * Adds the project of the directory, to compare its APIServices with. One that cannot be read is
 * only a warning, because the cluster is what is verified.
 * @param terminal gets the warning
 * @throws as `readTrust` without a terminal
 */
export async function comparing(
  selection: Selection,
  { directory }: SelectionFlags,
  terminal: Pick<Terminal, 'progress'> | undefined,
): Promise<Selection> {
  if (!fileExists(join(directory, 'apisvc.yaml'))) return selection;
  const { readTrust } = await import('../project/trust.ts');
  const { keepsCertificates } = await import('../project/issued.ts');
  try {
    const { registration, ...trust } = readTrust(directory, selection.registration);
    const compared = { ...trust, ...(caSecretName(registration) === undefined ? {} : { issuesInCluster: true }) };
    const { wanted } = selection;
    const all = 'names' in wanted && wanted.names.every((name) => compared.names.includes(name));
    const project = all ? { project: projectCommands(directory, registration) } : {};
    // Others make the certificate, so the files have nothing to compare.
    const found = { wanted, declared: declaredIn(registration, trust.names), ...project };
    return keepsCertificates(directory, registration) ? { ...found, compared } : found;
  } catch (error) {
    if (!(error instanceof ApisvcError) || !terminal) throw error;
    terminal.progress(`warning: failed to compare the cluster with the project: ${error.message.split('\n')[0]}`);
    return selection;
  }
}

const declaredIn = (registration: Registration, names: readonly string[]): Declared => ({
  names,
  service: { namespace: registration.metadata.namespace, name: registration.spec.service.name },
  ...(hasServingSecret(registration) ? { secret: secretName(registration) } : {}),
});

/**
 * Imported only if no name is given: loading the schema of a project takes longer than a diagnosis.
 */
async function ofProject(dir: string, choices: string): Promise<Selection> {
  const { isProject, readRegistration, requireDirectory } = await import('../project/project.ts');
  const { apiServiceNames } = await import('../config/registration.ts');
  if (!isProject(dir)) {
    requireDirectory(dir);
    throw new UsageError(`no APIService given, and no apisvc.yaml in ${dir === '.' ? 'this directory' : dir}`, {
      fix: `Pass ${choices}, or set the project directory with -C.`,
    });
  }
  const registration = readRegistration(dir);
  return { wanted: { names: apiServiceNames(registration) }, project: projectCommands(dir, registration), registration };
}
