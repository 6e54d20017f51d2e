import { join } from 'node:path';
import { issuerFlags } from '../config/issuer-flags.ts';
import { inDirectory, newKeysCommand } from '../config/project-commands.ts';
import { responsibilities, responsibilitiesOf } from '../config/responsibilities.ts';
import type { Registration } from '../config/schema.ts';
import { Exit, type ExitCode, RefusedError, UsageError } from '../errors.ts';
import { issueCertificates } from '../issuers/issuers.ts';
import { caBundleOf } from '../pki/anchors.ts';
import { inspect } from '../pki/inspect.ts';
import { printable } from '../pki/printable.ts';
import type { Authority } from '../pki/types.ts';
import { certificatesOf, faultsAgainstKeeping, projectFaultTexts, unreadableFix } from '../project/certificates.ts';
import { finishPromotion, refuseDuringRotation } from '../project/generations.ts';
import { issuedInFiles } from '../project/issued.ts';
import {
  hasKeys,
  isProject,
  type NewProject,
  plannedFiles,
  projectFiles,
  readRegistration,
  readSchema,
  removeReplacedAuthorityKey,
  writeProject,
} from '../project/project.ts';
import { describeProject } from '../report/project.ts';
import { readAuthority } from './ca-flags.ts';
import { initCommand } from './init-command.ts';
import { type FromClusterFlags, initFromCluster, refuseClusterFlags } from './init-from-cluster.ts';
import { askMissing, confirmFiles, refuseMissingFlags } from './init-questions.ts';
import { checkIssuerFlags, selectedIssuer } from './issuer-choice.ts';
import { missingFlags } from './missing-flags.ts';
import { type CheckedConfiguration, checkFlags, type InitFlags, newConfiguration, overridesOf, parseFlags } from './new-configuration.ts';
import { explainShortAuthority, setLifetime } from './short-authority.ts';
import type { Terminal } from './terminal.ts';
import { together } from './together.ts';

/** `apisvc init`: creates a project, or replaces the certificates of one (`--force-keys`). */
export async function init(flags: InitFlags & FromClusterFlags, [dir = '.']: readonly string[], given: Terminal): Promise<ExitCode> {
  if (flags.fromCluster !== undefined) return initFromCluster({ ...flags, fromCluster: flags.fromCluster }, dir, given);
  refuseClusterFlags(flags);
  finishPromotion(dir);
  refuseDuringRotation(dir);
  const terminal = flags.yes ? { ...given, interactive: false, ask: refuseToAsk } : given;
  const keepConfiguration = isProject(dir) && !flags.force;
  if (keepConfiguration) refuseUnlessOnlyKeys(dir, flags);
  const [, checked, authority] = together(
    () => (keepConfiguration ? undefined : refuseMissingFlags(flags, terminal)),
    () => (keepConfiguration ? undefined : checkFlags(dir, flags)),
    () => readAuthority(flags, terminal, new Date()),
  );
  const configured = checked ? await complete(dir, flags, checked, terminal) : existing(dir, flags);
  const { configuration, registration, command } = configured;
  const all = configured.flags ?? flags;
  const certificates = await newCertificates(dir, configured, all, await (authority ?? readAuthority(all, terminal, new Date()))?.());
  const project = { configuration, isNew: !flags.force, schema: readSchema(), certificates };
  if (command !== undefined) await confirmFiles(plannedFiles(dir, project), command, terminal);
  terminal.interrupt.throwIfAborted();
  // One may have started while the user answered.
  refuseDuringRotation(dir);
  const [files, replacesCa] = [plannedFiles(dir, project), replacesAuthority(dir, certificates)];
  writeProject(dir, project);
  const removed = all.caKey === undefined ? undefined : removeReplacedAuthorityKey(dir, all.caKey);
  if (removed !== undefined) terminal.progress(printable(`removed ${removed}, the key of the replaced CA`));
  // The result is the files.
  if (terminal.quiet) return Exit.ok;
  await terminal.result(
    describeProject({
      dir,
      files,
      registration,
      command,
      replacesCa,
      colors: terminal.outColors,
    }),
  );
  return Exit.ok;
}

/** Whether the new certificates are from another CA than those of the project. */
function replacesAuthority(dir: string, certificates: NewProject['certificates']): boolean {
  const known = certificatesOf(dir, 'caCertificate').map(({ fingerprint }) => fingerprint);
  if (!certificates || known.length === 0) return false;
  return !inspect(caBundleOf(certificates.issued)).certificates.some(({ fingerprint }) => known.includes(fingerprint));
}

interface Configured {
  /** The text of a new apisvc.yaml; undefined if the existing one stays. */
  readonly configuration: string | undefined;
  readonly registration: Registration;
  /** The command that makes the same project without prompts, if there were prompts. */
  readonly command: string | undefined;
  /** The flags with the answers, if there were prompts. */
  readonly flags?: InitFlags;
}

/** Prompts for what the checked flags leave open. */
async function complete(dir: string, flags: InitFlags, checked: CheckedConfiguration, terminal: Terminal): Promise<Configured> {
  const { flags: all, asked } = await askMissing(dir, flags, terminal);
  if (!asked) return { ...checked, command: undefined };
  return { ...parseFlags(newConfiguration(dir, all), all), command: initCommand(dir, all), flags: all };
}

function existing(dir: string, flags: InitFlags): Configured {
  const registration = readRegistration(dir);
  refuseOtherIssuer(dir, registration, flags);
  return { configuration: undefined, registration, command: undefined };
}

/** Replaces prompts when --yes is set. */
const refuseToAsk: Terminal['ask'] = async (question) => {
  throw missingFlags([question]);
};

/** Keeps an existing apisvc.yaml unless --force is set. --force-keys replaces only its keys. */
function refuseUnlessOnlyKeys(dir: string, flags: InitFlags): void {
  const { configuration } = projectFiles(dir);
  if (!flags.forceKeys) {
    throw new RefusedError(`${configuration} already exists`, {
      fix: 'Replace it with --force, replace only the keys and certificates with --force-keys, or choose another directory.',
    });
  }
  checkIssuerFlags(flags);
  const changing = Object.keys(overridesOf(flags, {})).some((key) => key !== 'issuer');
  if (changing || flags.preset)
    throw new RefusedError(`${configuration} already exists, and --force-keys does not change it`, {
      fix: `Edit the file, or replace it with --force. To replace only the keys and certificates: ${newKeysCommand({ directory: dir, issuer: selectedIssuer(flags) ?? 'self-signed' })}`,
    });
}

/** apisvc.yaml must not claim a self-signed CA when --ca-cert names another. */
function refuseOtherIssuer(dir: string, { spec }: Registration, flags: InitFlags): void {
  const { type } = spec.certificates.issuer;
  const selected = selectedIssuer(flags);
  if (selected === undefined || selected === type) return;
  const [needed] = issuerFlags[selected].needed.split(' ');
  const flag = flags.issuer === undefined ? needed : `--issuer ${selected}`;
  throw new RefusedError(`${flag} needs the issuer type "${selected}", but ${projectFiles(dir).configuration} has "${type}"`, {
    fix: `In apisvc.yaml, set spec.certificates.issuer to {type: ${selected}}, or replace the whole file with --force.`,
  });
}

/** @throws UsageError that says who makes the keys */
function refuseKeysOfOthers({ spec }: Registration): never {
  const { type } = spec.certificates.issuer;
  const { key, signedInCluster } = responsibilities[type];
  const why = signedInCluster ? 'register generates the private key' : `${key} generates the private key`;
  throw new UsageError(`--force-keys cannot be used with the issuer type "${type}": ${why}`, { fix: 'Remove --force-keys.' });
}

/**
 * Issues new keys and certificates.
 * @returns undefined if the existing ones stay, or if others issue
 */
async function newCertificates(
  dir: string,
  { configuration, registration }: Configured,
  flags: InitFlags,
  given: Authority | undefined,
): Promise<NewProject['certificates']> {
  const now = new Date();
  const { inProject, signedInCluster } = responsibilitiesOf(registration);
  const { needed } = issuerFlags[registration.spec.certificates.issuer.type];
  if (!inProject || signedInCluster) {
    if (flags.forceKeys) refuseKeysOfOthers(registration);
    // Reports a caBundleFile that cannot be used.
    issuedInFiles(dir, registration, { withKey: false, now });
    return undefined;
  }
  if (hasKeys(dir) && !flags.forceKeys) {
    const faults = given ? [] : faultsAgainstKeeping(dir, registration, now);
    const reasons = given ? ['--ca-cert names another CA'] : projectFaultTexts(dir, faults);
    if (reasons.length === 0) return undefined;
    const unreadable = unreadableFix(faults);
    if (unreadable !== undefined) throw new UsageError(reasons.join('\n'), { fix: unreadable });
    throw new RefusedError(`init would replace the keys in ${join(dir, 'certs')}: ${reasons.join('; ')}`, {
      fix: `To replace the keys, add --force-keys. If the API is registered, change ${projectFiles(dir).configuration} instead. Then replace the keys while the API keeps serving: ${inDirectory(`apisvc rotate ${needed || '--ca'}`, dir)}`,
    });
  }
  return issueCertificates(registration, { given, now }).catch((error) =>
    explainShortAuthority(error, {
      shorter: configuration === undefined ? setLifetime(dir) : (lifetime) => `add: --lifetime ${lifetime}`,
    }),
  );
}
