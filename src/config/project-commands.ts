import { join } from 'node:path';
import { issuerFlags } from './issuer-flags.ts';
import type { IssuerType } from './schema-certificates.ts';
import { shellWord } from './shell-word.ts';

/** The project that a command works on. */
export interface ProjectCommands {
  readonly directory: string;
  /** Where its certificates come from: `init` needs the CA of a user again. */
  readonly issuer: IssuerType;
}

/** The command that creates new keys and certificates for a project. */
export function newKeysCommand({ directory, issuer }: ProjectCommands): string {
  const { needed, requested } = issuerFlags[issuer];
  if (requested) {
    const files = ['tls.crt', 'tls.key'].map((name) => shellWord(join(directory, 'certs', name)));
    return `rm -f ${files.join(' ')} && ${registerCommand(directory)}`;
  }
  return `apisvc init${directory === '.' ? '' : ` ${shellWord(directory)}`} --force-keys${needed && ` ${needed}`}`;
}

/** Moves the certificates of a project away, to go on with those in the cluster. */
export function asideCommand(directory: string): string {
  const certs = shellWord(join(directory, 'certs'));
  return `mv ${certs} ${certs}.old`;
}

/** Keeps a damaged file under another name, such as `tls.old.key`: git ignores `*.key`. */
export const moveAside = (path: string): string => `mv ${shellWord(path)} ${shellWord(path.replace(/(\.\w+)$/, '.old$1'))}`;

/** Replaces the CA and the keys in the cluster while the API keeps serving. */
export function rotateAside({ directory, issuer }: ProjectCommands): string {
  const { needed, requested } = issuerFlags[issuer];
  return `${asideCommand(directory)} && apisvc rotate${requested ? '' : ` ${needed || '--ca'}`}`;
}

/** A command in the directory of a project. */
export const inDirectory = (command: string, directory: string): string =>
  `${command}${directory === '.' ? '' : ` -C ${shellWord(directory)}`}`;

/**
 * Adds the directory of a project to the commands in a fix. A line that has it stays, and so does a
 * command with the name of an APIService, which needs no project.
 */
export const fixInDirectory = (fix: string, directory: string): string =>
  fix.replace(/\bapisvc (?:rotate|register|verify|status|unregister(?=$))\b(?!(?: '?-.*)? v\d|.* -C )/gm, (command) =>
    inDirectory(command, directory),
  );

/** The command that applies a project. */
export const registerCommand = (directory: string): string => inDirectory('apisvc register', directory);
