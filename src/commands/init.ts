import { join } from 'node:path';
import type { Registration } from '../config/schema.ts';
import { Exit, type ExitCode, RefusedError, UsageError } from '../errors.ts';
import { issueCertificates } from '../issuers/issuers.ts';
import {
  hasKeys,
  isProject,
  type NewProject,
  plannedFiles,
  projectFiles,
  readRegistration,
  readSchema,
  reasonsAgainstKeeping,
  removeReplacedAuthorityKey,
  writeProject,
} from '../project/project.ts';
import { describeProject } from '../report/project.ts';
import { givenAuthority } from './given-authority.ts';
import { initCommand } from './init-command.ts';
import { askMissing, confirmFiles } from './init-questions.ts';
import { type InitFlags, newConfiguration, overridesOf, parseFlags } from './new-configuration.ts';
import type { Terminal } from './terminal.ts';

/** `apisvc init`: makes a project directory, or new certificates for one (`--force-keys`). */
export async function init(flags: InitFlags, [dir = '.']: readonly string[], given: Terminal): Promise<ExitCode> {
  const terminal = flags.yes ? { ...given, interactive: false, ask: refuseToAsk } : given;
  const keepConfiguration = isProject(dir) && !flags.force;
  if (keepConfiguration) refuseUnlessOnlyKeys(dir, flags);
  const { flags: complete, asked } = keepConfiguration ? { flags: undefined, asked: false } : await askMissing(dir, flags, terminal);
  const configuration = complete && newConfiguration(dir, complete);
  const registration = configuration === undefined ? readRegistration(dir) : parseFlags(configuration);
  if (keepConfiguration) refuseOtherIssuer(dir, registration, flags);
  const certificates = await newCertificates(dir, registration, flags, terminal);
  const project = { configuration, schema: readSchema(), certificates };
  const command = asked && complete ? initCommand(dir, complete) : undefined;
  if (command !== undefined) await confirmFiles(plannedFiles(dir, project), command, terminal);
  terminal.interrupt.throwIfAborted();
  const paths = writeProject(dir, project);
  const removed = flags.caKey === undefined ? undefined : removeReplacedAuthorityKey(dir, flags.caKey);
  if (removed !== undefined) terminal.progress(`removed ${removed}: it is the key of the CA that was replaced`);
  await terminal.result(
    describeProject({
      dir,
      paths,
      registration,
      command,
      colors: terminal.outColors,
    }),
  );
  return Exit.ok;
}

/** What --yes makes of every question. */
const refuseToAsk: Terminal['ask'] = async ({ message, flag }) => {
  throw new UsageError(`not given: ${message}`, { fix: `Use ${flag}.` });
};

/** A directory that has a project keeps it, unless --force; --force-keys alone means: the same project, new keys. */
function refuseUnlessOnlyKeys(dir: string, flags: InitFlags): void {
  const { configuration } = projectFiles(dir);
  if (!flags.forceKeys) {
    throw new RefusedError(`there is a project already: ${configuration}`, {
      fix: 'Replace apisvc.yaml with --force, make new keys and certificates with --force-keys, or choose another directory.',
    });
  }
  const changing = Object.keys(overridesOf(flags, {})).some((key) => key !== 'issuer');
  if (changing || flags.preset)
    throw new RefusedError(`${configuration} exists; these flags would change it`, { fix: 'Edit it, or add --force to replace it.' });
}

/** apisvc.yaml must not say that the CA is its own when it is not. */
function refuseOtherIssuer(dir: string, { spec }: Registration, { caCert }: InitFlags): void {
  const { type } = spec.certificates.issuer;
  if (caCert === undefined || type === 'ca') return;
  throw new RefusedError(`--ca-cert needs the issuer type "ca", but ${projectFiles(dir).configuration} has "${type}"`, {
    fix: 'Set spec.certificates.issuer to {type: ca} there, or add --force to replace the file.',
  });
}

/** New keys and certificates, or undefined where those that are there stay. */
async function newCertificates(
  dir: string,
  registration: Registration,
  flags: InitFlags,
  terminal: Terminal,
): Promise<NewProject['certificates']> {
  const now = new Date();
  const given = await givenAuthority(flags, terminal, now);
  if (hasKeys(dir) && !flags.forceKeys) {
    const reasons = given ? ['a CA is given'] : reasonsAgainstKeeping(dir, registration, now);
    if (reasons.length === 0) return undefined;
    throw new RefusedError(`${join(dir, 'certs')} holds keys that would be replaced: ${reasons.join('; ')}`, {
      fix: 'Replace them with --force-keys; whatever uses them stops working until it is registered again.',
    });
  }
  return issueCertificates(registration, { given, now });
}
