import type { ChalkInstance } from 'chalk';
import { apiServiceNames } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';

export interface CreatedProject {
  /** Relative to where the person is. */
  readonly dir: string;
  readonly paths: readonly string[];
  readonly registration: Registration;
  readonly colors: ChalkInstance;
}

/** What `init` prints: the files, and how to go on. */
export function describeProject({ dir, paths, registration, colors }: CreatedProject): string {
  const { name } = registration.spec.service;
  const { namespace } = registration.metadata;
  const at = dir === '.' ? '' : ` -C ${quoted(dir)}`;
  return [
    ...paths.map((path) => `${colors.green('created')} ${path}`),
    '',
    `${apiServiceNames(registration).join(', ')} will be served by Service ${namespace}/${name}.`,
    'Next:',
    `  apisvc render${at}      # look at the manifests`,
    `  apisvc register${at}    # put them into the cluster and verify`,
    '',
  ].join('\n');
}

/** A path as a shell takes it. */
const quoted = (path: string): string => (/^[\w./@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`);
