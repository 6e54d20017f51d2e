import type { ChalkInstance } from 'chalk';
import { fixInDirectory, type ProjectCommands, rotateAside } from '../config/project-commands.ts';
import { apiServiceNames } from '../config/registration.ts';
import { responsibilities } from '../config/responsibilities.ts';
import type { Registration } from '../config/schema.ts';
import { shellWord } from '../config/shell-word.ts';
import { printable } from '../pki/printable.ts';
import type { PlannedFile } from '../project/project.ts';
import { wrap } from './wrap.ts';

export interface CreatedProject {
  /** Relative to the current directory. */
  readonly dir: string;
  readonly files: readonly PlannedFile[];
  readonly registration: Registration;
  /** The equivalent command without prompts, if there were any. */
  readonly command: string | undefined;
  /** Whether the project had another CA before. */
  readonly replacesCa: boolean;
  readonly colors: ChalkInstance;
}

/** What happened to each file. */
const written = (files: readonly PlannedFile[], colors: ChalkInstance): readonly string[] =>
  files.map(({ path, replaces }) => `${colors.green(replaces ? 'replaced' : 'created')} ${printable(path)}`);

/** The result of `init`: the files and the next steps. */
export function describeProject({ dir, files, registration, command, replacesCa, colors }: CreatedProject): string {
  const { name } = registration.spec.service;
  const { namespace } = registration.metadata;
  const at = dir === '.' ? '' : ` -C ${shellWord(dir)}`;
  const next = [
    '',
    `${apiServiceNames(registration).join(', ')} will be served by Service ${namespace}/${name}.`,
    'Next:',
    `  apisvc render${at}      # review the manifests`,
    `  apisvc register${at}    # apply them, then verify the API`,
    ...(replacesCa ? ofRegistered({ directory: dir, issuer: registration.spec.certificates.issuer.type }) : []),
    ...(command === undefined ? [] : ['', equivalent, `  ${command}`]),
    '',
  ];
  return [...written(files, colors), ...next.map(printable)].join('\n');
}

const ofRegistered = (project: ProjectCommands): readonly string[] => [
  'register refuses the new CA while the API works with the old CA. In this case, replace the CA:',
  `  ${fixInDirectory(rotateAside(project), project.directory)}`,
];

export interface FoundProject extends Omit<CreatedProject, 'command' | 'replacesCa'> {
  /** The APIService that the user gave. */
  readonly name: string;
  /** The flags that select the cluster. */
  readonly clusterFlags: readonly string[];
  /** Whether `secure` can turn on verification. */
  readonly canSecure: boolean;
}

/** The result of `init --from-cluster`: the files, what the cluster runs, and the next steps. */
export function describeFound({ dir, files, registration, name, clusterFlags, canSecure, colors }: FoundProject): string {
  const { metadata, spec } = registration;
  const { type } = spec.certificates.issuer;
  const names = apiServiceNames(registration);
  const at = dir === '.' ? [] : ['-C', shellWord(dir)];
  const flags = clusterFlags.map(shellWord);
  const steps = [
    [['apisvc verify', ...at, ...flags].join(' '), 'diagnose the API'],
    ...(canSecure ? [[['apisvc secure', name, '-C', shellWord(dir), ...flags].join(' '), 'turn on verification']] : []),
  ];
  const width = Math.max(...steps.map(([command = '']) => command.length));
  const next = [
    '',
    `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} served by Service ${metadata.namespace}/${spec.service.name}.`,
    `Issuer type "${type}": ${responsibilities[type].meaning}`,
    'Next:',
    ...steps.map(([command = '', what]) => `  ${command.padEnd(width)}    # ${what}`),
    '',
  ];
  return [...written(files, colors), ...next.map(printable)].join('\n');
}

const equivalent = 'Equivalent command without prompts:';

export interface Plan {
  readonly files: readonly PlannedFile[];
  readonly command: string;
  readonly colors: ChalkInstance;
  /** The width of the terminal. */
  readonly columns: number;
}

/** The purposes of a project's files, by the end of their paths. */
const purposes: readonly (readonly [end: string, purpose: string])[] = [
  ['apisvc.yaml', 'the configuration; edit this file'],
  ['registration.schema.json', 'JSON Schema of apisvc.yaml for editors'],
  ['.gitignore', 'keeps the private keys out of Git'],
  ['ca.crt', 'the CA certificate, which becomes the caBundle'],
  ['ca.key', 'private key of the CA, mode 0600'],
  ['tls.crt', 'the serving certificate'],
  ['tls.key', 'private key of the serving certificate, mode 0600'],
];

/**
 * The files that `init` will write, and the equivalent command. Purposes stand next to the paths,
 * or below them on a narrow terminal.
 */
export function describePlan({ files, command, colors, columns }: Plan): string {
  const rows = files.map(({ path, replaces }) => ({
    path: `  ${printable(path)}`,
    purpose: (purposes.find(([end]) => path.endsWith(end))?.[1] ?? '') + (replaces ? '; replaces the existing file' : ''),
  }));
  const pathWidth = Math.max(...rows.map(({ path }) => path.length));
  const beside = rows.every(({ purpose }) => pathWidth + 2 + purpose.length < columns);
  return [
    'Files to write:',
    ...rows.map(({ path, purpose }) =>
      beside
        ? `${colors.green(path.padEnd(pathWidth))}  ${purpose}`
        : `${colors.green(path)}\n    ${wrap(purpose, columns - 5).replaceAll('\n', '\n    ')}`,
    ),
    '',
    equivalent,
    `  ${printable(command)}`,
  ].join('\n');
}
