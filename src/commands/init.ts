import { basename, join, resolve } from 'node:path';
import { parseDuration } from '../config/duration.ts';
import { ConfigurationError, parseRegistration } from '../config/load.ts';
import { dns1035Label, nameFault } from '../config/names.ts';
import { type PresetName, presetNames } from '../config/preset-names.ts';
import { customise, type Overrides, presetText } from '../config/presets.ts';
import { servingNames } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import { Exit, type ExitCode, RefusedError, UsageError } from '../errors.ts';
import { createAuthority } from '../pki/authority.ts';
import { issueServing } from '../pki/leaf.ts';
import type { KeyType } from '../pki/types.ts';
import {
  hasKeys,
  isProject,
  type NewProject,
  projectFiles,
  readRegistration,
  readSchema,
  reasonsAgainstKeeping,
  removeReplacedAuthorityKey,
  writeProject,
} from '../project/project.ts';
import { describeProject } from '../report/project.ts';
import { type CaFlags, givenAuthority } from './given-authority.ts';
import type { Terminal } from './terminal.ts';

export interface InitFlags extends CaFlags {
  readonly preset?: PresetName;
  readonly yes?: boolean;
  readonly api?: readonly string[];
  readonly image?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly service?: string;
  readonly keyType?: KeyType;
  readonly lifetime?: string;
  readonly caLifetime?: string;
  readonly dns?: readonly string[];
  readonly ip?: readonly string[];
  readonly clusterDomain?: string;
  readonly nameConstraints: boolean;
  readonly force?: boolean;
  readonly forceKeys?: boolean;
}

/** `apisvc init`: makes a project directory, or new certificates for one (`--force-keys`). */
export async function init(flags: InitFlags, [dir = '.']: readonly string[], given: Terminal): Promise<ExitCode> {
  const terminal = flags.yes ? { ...given, ask: refuseToAsk } : given;
  const keepConfiguration = isProject(dir) && !flags.force;
  if (keepConfiguration) refuseUnlessOnlyKeys(dir, flags);
  const configuration = keepConfiguration ? undefined : await newConfiguration(dir, flags, terminal);
  const registration = configuration === undefined ? readRegistration(dir) : parseFlags(configuration);
  if (keepConfiguration) refuseOtherIssuer(dir, registration, flags);
  const certificates = await newCertificates(dir, registration, flags, terminal);
  terminal.interrupt.throwIfAborted();
  const paths = writeProject(dir, { configuration, schema: readSchema(), certificates });
  const removed = flags.caKey === undefined ? undefined : removeReplacedAuthorityKey(dir, flags.caKey);
  if (removed !== undefined) terminal.progress(`removed ${removed}: it is the key of the CA that was replaced`);
  await terminal.result(
    describeProject({
      dir,
      paths,
      registration,
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
  const { issuer } = spec.certificates;
  if (caCert === undefined || issuer === 'ca') return;
  throw new RefusedError(`a CA is given, but ${projectFiles(dir).configuration} says issuer: ${issuer}`, {
    fix: 'Set spec.certificates.issuer to ca there, or add --force to replace the file.',
  });
}

/** The text of a new apisvc.yaml: the preset with what the flags, or the person, say. */
async function newConfiguration(dir: string, flags: InitFlags, terminal: Terminal): Promise<string> {
  const preset =
    flags.preset ??
    (flags.api
      ? 'custom'
      : ((await terminal.ask({
          message: 'Preset to start from',
          flag: `--preset ${presetNames.join('|')}`,
          choices: presetNames,
        })) as PresetName));
  return customise(presetText(preset), overridesOf(flags, preset === 'custom' ? await customDefaults(dir, flags, terminal) : {}));
}

/** What the preset `custom` can't know; the directory gives the name, as with most project generators. */
async function customDefaults(dir: string, flags: InitFlags, terminal: Terminal): Promise<Overrides> {
  const directory = basename(resolve(dir));
  const fromDirectory = nameFault(directory, dns1035Label) === undefined ? directory : 'my-apiserver';
  const name = flags.name ?? fromDirectory;
  const apis = flags.api ?? [await terminal.ask({ message: 'API that the server serves (group/version)', flag: '--api GROUP/VERSION' })];
  const image = flags.image ?? (await terminal.ask({ message: 'Container image of the server', flag: '--image IMAGE' }));
  return { name, namespace: flags.namespace ?? name, service: flags.service ?? name, image, apis: apis.map(parseApi) };
}

function parseApi(text: string): { group: string; version: string } {
  const [group = '', version = '', ...rest] = text.split('/');
  if (group === '' || version === '' || rest.length > 0)
    throw new UsageError(`--api ${text}: must be GROUP/VERSION, for example wardle.example.com/v1alpha1`);
  return { group, version };
}

function overridesOf(flags: InitFlags, defaults: Overrides): Overrides {
  const { name, namespace, service, image, keyType, lifetime, caLifetime, clusterDomain, dns, ip, api } = flags;
  const wanted = {
    name,
    namespace,
    service,
    image,
    keyType,
    lifetime,
    caLifetime,
    clusterDomain,
    dnsNames: dns,
    ipAddresses: ip,
    apis: api?.map(parseApi),
    nameConstraints: flags.nameConstraints ? undefined : false,
    issuer: flags.caCert ? ('ca' as const) : undefined,
  };
  return { ...defaults, ...(Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined)) as Overrides) };
}

/** Which flag a place of apisvc.yaml comes from. */
const flagOfPath: readonly (readonly [RegExp, string])[] = [
  [/^metadata\.name$/, '--name'],
  [/^metadata\.namespace$/, '--namespace'],
  [/^spec\.service\.name$/, '--service'],
  [/^spec\.apis/, '--api'],
  [/^spec\.server\.image$/, '--image'],
  [/^spec\.certificates\.lifetime$/, '--lifetime'],
  [/^spec\.certificates\.caLifetime$/, '--ca-lifetime'],
  [/^spec\.certificates\.clusterDomain$/, '--cluster-domain'],
  [/^spec\.certificates\.dnsNames/, '--dns'],
  [/^spec\.certificates\.ipAddresses/, '--ip'],
];

/** Checks a configuration that is not a file yet: its faults are those of the flags. */
function parseFlags(configuration: string): Registration {
  try {
    return parseRegistration(configuration, 'apisvc.yaml');
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const lines = error.problems.map(({ path, message }) => {
      const flag = flagOfPath.find(([pattern]) => pattern.test(path))?.[1];
      return flag ? `${flag}: ${message}` : `${path}: ${message}`;
    });
    throw new UsageError([...new Set(lines)].join('\n'), { cause: error });
  }
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
  const { keyType, lifetime, caLifetime, nameConstraints } = registration.spec.certificates;
  if (!given && registration.spec.certificates.issuer === 'ca')
    throw new UsageError('the issuer is "ca", but no CA is given', { fix: 'Add --ca-cert FILE --ca-key FILE.' });
  const names = servingNames(registration);
  const ms = (text: string): number => parseDuration(text) ?? 0;
  if (!given && ms(lifetime) > ms(caLifetime)) {
    throw new UsageError(`the certificate would outlive its CA: lifetime ${lifetime} is longer than caLifetime ${caLifetime}`, {
      fix: 'Change --lifetime or --ca-lifetime.',
    });
  }
  const commonName = `${names.dns[0]} CA`;
  const constraint = nameConstraints ? { constrainTo: names } : {};
  const made = given ?? createAuthority({ commonName, keyType, lifetimeMs: ms(caLifetime), ...constraint, now });
  const [authority, leaf] = await Promise.all([made, issueServing({ authority: made, names, keyType, lifetimeMs: ms(lifetime), now })]);
  return { authority, leaf, keepAuthorityKey: !given };
}
