import type { ChalkInstance } from 'chalk';
import { apiServiceNames } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import { wrapped } from './wrapped.ts';

export interface CreatedProject {
  /** Relative to where the person is. */
  readonly dir: string;
  readonly paths: readonly string[];
  readonly registration: Registration;
  /** The command that would have made it without questions, when there were some. */
  readonly command: string | undefined;
  readonly colors: ChalkInstance;
}

/** What `init` prints: the files, and how to go on. */
export function describeProject({ dir, paths, registration, command, colors }: CreatedProject): string {
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
    ...(command === undefined ? [] : ['', sameWithout, `  ${command}`]),
    '',
  ].join('\n');
}

const sameWithout = 'The same without questions:';

export interface Plan {
  readonly files: readonly { readonly path: string; readonly replaces: boolean }[];
  readonly command: string;
  readonly colors: ChalkInstance;
  /** How wide the terminal is. */
  readonly columns: number;
}

/** What the files of a project are for, by the end of their path. */
const purposes: readonly (readonly [end: string, purpose: string])[] = [
  ['apisvc.yaml', 'the registration, with comments; yours to edit'],
  ['registration.schema.json', 'lets editors complete apisvc.yaml'],
  ['.gitignore', 'keeps the keys out of git'],
  ['ca.crt', 'the CA, which becomes the caBundle'],
  ['ca.key', 'private key of the CA, mode 0600'],
  ['tls.crt', 'the serving certificate'],
  ['tls.key', 'its private key, mode 0600'],
];

/** What `init` is about to write, and the command that says the same. Purposes stand beside the paths, or below them in a narrow terminal. */
export function describePlan({ files, command, colors, columns }: Plan): string {
  const rows = files.map(({ path, replaces }) => ({
    path: `  ${path}`,
    purpose: (purposes.find(([end]) => path.endsWith(end))?.[1] ?? '') + (replaces ? '; replaces what is there' : ''),
  }));
  const pathWidth = Math.max(...rows.map(({ path }) => path.length));
  const beside = rows.every(({ purpose }) => pathWidth + 2 + purpose.length < columns);
  return [
    'This will be written:',
    ...rows.map(({ path, purpose }) =>
      beside
        ? `${colors.green(path.padEnd(pathWidth))}  ${purpose}`
        : `${colors.green(path)}\n    ${wrapped(purpose, columns - 5).replaceAll('\n', '\n    ')}`,
    ),
    '',
    sameWithout,
    `  ${command}`,
  ].join('\n');
}

/** A word as a shell takes it. */
export const quoted = (word: string): string => (/^[\w./@:+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
