import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseRegistration } from '../config/load.ts';
import type { Registration } from '../config/schema.ts';
import { UsageError } from '../errors.ts';
import { caBundleOf } from '../pki/anchors.ts';
import type { PrivateKey } from '../pki/private-key.ts';
import type { Issued } from '../pki/types.ts';
import { type FileToWrite, removeFile, writeFiles } from './files.ts';
import { readText } from './read.ts';

/** Where everything is in a project directory. */
export const projectFiles = (dir: string) => ({
  configuration: join(dir, 'apisvc.yaml'),
  schema: join(dir, '.apisvc', 'registration.schema.json'),
  caCertificate: join(dir, 'certs', 'ca.crt'),
  caKey: join(dir, 'certs', 'ca.key'),
  certificate: join(dir, 'certs', 'tls.crt'),
  key: join(dir, 'certs', 'tls.key'),
  ignore: join(dir, 'certs', '.gitignore'),
});

/** Whether there is a project in this directory. */
export const isProject = (dir: string): boolean => existsSync(projectFiles(dir).configuration);

/** Whether there are keys or certificates that must not be lost. */
export const hasKeys = (dir: string): boolean => {
  const { caKey, key } = projectFiles(dir);
  return existsSync(caKey) || existsSync(key);
};

/**
 * Reads apisvc.yaml of a project directory.
 * @throws UsageError when there is none; ConfigurationError (with lines and columns) when it is wrong
 */
export function readRegistration(dir: string): Registration {
  const { configuration } = projectFiles(dir);
  if (!existsSync(configuration)) {
    throw new UsageError(`there is no project here: ${configuration} does not exist`, { fix: 'Make one with: apisvc init' });
  }
  return parseRegistration(readText(configuration), configuration);
}

/** The JSON Schema of apisvc.yaml as it is shipped, beside the bundle. */
export const readSchema = (): string => readText(fileURLToPath(new URL('../schema/registration.schema.json', import.meta.url)));

/** What `init` makes. */
export interface NewProject {
  /** Text of apisvc.yaml; undefined keeps the one that is there. */
  readonly configuration: string | undefined;
  readonly schema: string;
  /** undefined keeps the certificates that are there. */
  readonly certificates: { readonly issued: Issued; readonly caKey?: PrivateKey } | undefined;
}

/** Writes a project directory, all or nothing; returns the paths. @throws UsageError, see `writeFiles` */
export function writeProject(dir: string, project: NewProject): string[] {
  const files = filesOf(dir, project);
  writeFiles(files);
  return files.map(({ path }) => path);
}

/** A file that `writeProject` would write. */
export interface PlannedFile {
  readonly path: string;
  /** Whether one of that name is there, which it would replace. */
  readonly replaces: boolean;
}

/** What `writeProject` would write, in its order. */
export const plannedFiles = (dir: string, project: NewProject): PlannedFile[] =>
  filesOf(dir, project).map(({ path }) => ({ path, replaces: existsSync(path) }));

function filesOf(dir: string, { configuration, schema, certificates }: NewProject): FileToWrite[] {
  const paths = projectFiles(dir);
  const open = (path: string, text: string): FileToWrite => ({ path, text, mode: 0o644 });
  const secret = (path: string, key: PrivateKey): FileToWrite => ({ path, text: key.reveal(), mode: 0o600 });
  return [
    ...(configuration === undefined ? [] : [open(paths.configuration, configuration)]),
    open(paths.schema, schema),
    ...(certificates
      ? [
          open(paths.ignore, '# Private keys stay on this machine.\n*.key\n'),
          open(paths.caCertificate, caBundleOf(certificates.issued)),
          ...(certificates.caKey ? [secret(paths.caKey, certificates.caKey)] : []),
          open(paths.certificate, certificates.issued.chain),
          ...(certificates.issued.key ? [secret(paths.key, certificates.issued.key)] : []),
        ]
      : []),
  ];
}

/**
 * Removes the key of a CA whose certificate has been replaced: beside the certificate of another CA it would only mislead, and it can still sign.
 * @param given the key file of the CA that replaces it; where that is this very file it stays
 * @returns the path of what was removed, if anything
 * @throws UsageError with the reason in plain words
 */
export function removeReplacedAuthorityKey(dir: string, given: string): string | undefined {
  const { caKey } = projectFiles(dir);
  if (!existsSync(caKey) || realpathSync(caKey) === realpathSync(given)) return undefined;
  return removeFile(caKey);
}
