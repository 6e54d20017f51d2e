import { basename, isAbsolute, relative, resolve } from 'node:path';
import { customise, type Overrides } from '../config/customise.ts';
import { issuerSettingKeys, issuerSettings } from '../config/issuer-flags.ts';
import { ConfigurationError, parseRegistration } from '../config/load.ts';
import { dns1035Label, nameFault } from '../config/names.ts';
import { isPipe } from '../config/pipes.ts';
import { type OwnServer, ownServer, type PresetName, presetText } from '../config/presets.ts';
import type { Registration } from '../config/schema.ts';
import { UsageError } from '../errors.ts';
import type { KeyType } from '../pki/types.ts';
import { checkIssuerFlags, type IssuerFlags, selectedIssuer } from './issuer-choice.ts';
import { together } from './together.ts';

export interface InitFlags extends IssuerFlags {
  readonly preset?: PresetName;
  readonly yes?: boolean;
  readonly api?: readonly string[];
  readonly image?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly service?: string;
  readonly keyType?: KeyType;
  readonly lifetime?: string;
  readonly dns?: readonly string[];
  readonly ip?: readonly string[];
  readonly clusterDomain?: string;
  readonly force?: boolean;
  readonly forceKeys?: boolean;
}

/** Flags that answer every question. */
export interface CompleteFlags extends InitFlags {
  readonly preset: PresetName;
}

/** The text of a new apisvc.yaml: the preset with the values of the flags. */
export function newConfiguration(dir: string, flags: CompleteFlags): string {
  const { preset } = flags;
  const own = ownServer(preset);
  const defaults = own ? ownDefaults(dir, own, flags) : {};
  return customise(presetText(preset), overridesOf({ ...flags, ...caBundleIn(dir, flags) }, defaults));
}

/** The file is relative to the current directory on the command line, and to apisvc.yaml in it. */
function caBundleIn(dir: string, { caBundle }: InitFlags): Pick<InitFlags, 'caBundle'> {
  if (caBundle !== undefined && isPipe(caBundle)) {
    throw new UsageError(`--ca-bundle ${caBundle} is a named pipe, but apisvc.yaml needs a regular file`, {
      fix: 'Write the CA certificates to a file, and set --ca-bundle to this file.',
    });
  }
  return caBundle === undefined || isAbsolute(caBundle) ? {} : { caBundle: relative(resolve(dir), resolve(caBundle)) };
}

/** Defaults for what the preset of an own server leaves open. */
function ownDefaults(dir: string, own: OwnServer, { name = nameFrom(dir), service = name, namespace }: InitFlags): Overrides {
  return { name, namespace: namespace ?? own.namespace ?? name, service };
}

/** Derives the name from the directory, as most project generators do. */
export function nameFrom(dir: string): string {
  const directory = basename(resolve(dir));
  return nameFault(directory, dns1035Label) === undefined ? directory : 'my-apiserver';
}

export const apiMessage = 'must be GROUP/VERSION, for example wardle.example.com/v1alpha1';

const isApi = /^([^/]+)\/([^/]+)$/;

function parseApi(text: string): { group: string; version: string } {
  const [, group, version] = isApi.exec(text) ?? [];
  if (group === undefined || version === undefined) throw new UsageError(`--api ${text}: ${apiMessage}`);
  return { group, version };
}

/** The changes that flags make to a preset. */
export function overridesOf(flags: InitFlags, defaults: Overrides): Overrides {
  const { name, namespace, service, image, keyType, lifetime, clusterDomain, dns, ip, api } = flags;
  const wanted = {
    name,
    namespace,
    service,
    image,
    keyType,
    lifetime,
    clusterDomain,
    dnsNames: dns,
    ipAddresses: ip,
    apis: api?.map(parseApi),
    nameConstraints: flags.nameConstraints ? undefined : false,
    issuer: selectedIssuer(flags),
    ...Object.fromEntries(issuerSettingKeys.map((key) => [key, flags[key]])),
  };
  return { ...defaults, ...(Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined)) as Overrides) };
}

/** The flag that sets a field of apisvc.yaml. */
const flagOfPath: readonly (readonly [RegExp, string])[] = [
  [/^metadata\.name$/, '--name'],
  [/^metadata\.namespace$/, '--namespace'],
  [/^spec\.service\.name$/, '--service'],
  [/^spec\.apis/, '--api'],
  [/^spec\.server\.image$/, '--image'],
  [/^spec\.certificates\.lifetime$/, '--lifetime'],
  [/^spec\.certificates\.clusterDomain$/, '--cluster-domain'],
  [/^spec\.certificates\.dnsNames/, '--dns'],
  [/^spec\.certificates\.ipAddresses/, '--ip'],
];

/** The same for the settings of an issuer, by whole path. */
const flagOfSetting: ReadonlyMap<string, string> = new Map(
  Object.values(issuerSettings).map(({ flag, path }) => [`spec.certificates.issuer.${path.join('.')}`, flag]),
);

/**
 * Checks the flags before any prompt. Examples stand for what the flags leave open.
 * @returns the configuration, with these examples
 * @throws UsageError with every wrong flag
 */
export function checkFlags(dir: string, flags: InitFlags): CheckedConfiguration {
  const { preset = 'custom', api: given = [], image } = flags;
  const isOwn = ownServer(preset) !== undefined;
  const valid = given.filter((text) => isApi.test(text));
  const api = valid.length > 0 ? valid : isOwn ? ['example.com/v1'] : undefined;
  const example = {
    ...flags,
    preset,
    ...(api ? { api } : { api: undefined }),
    ...(isOwn ? { image: image ?? 'example' } : {}),
    ...issuerExample(flags),
  };
  const [checked] = together(
    () => parseFlags(newConfiguration(dir, example as CompleteFlags), flags),
    () => checkIssuerFlags(flags),
    ...given.map((text) => () => parseApi(text)),
  );
  return checked;
}

/** Settings that do not belong to the issuer are reported by themselves. */
function issuerExample(flags: InitFlags): Partial<InitFlags> {
  try {
    checkIssuerFlags(flags);
    return {};
  } catch {
    const settings = Object.fromEntries(issuerSettingKeys.map((key) => [key, undefined]));
    return { ...settings, issuer: undefined, nameConstraints: true } as unknown as Partial<InitFlags>;
  }
}

/** The text of apisvc.yaml, and what it says. */
export interface CheckedConfiguration {
  readonly configuration: string;
  readonly registration: Registration;
}

/**
 * Validates a configuration before it is written.
 * @param given the flags. Those that are not given may have the value of --name
 * @throws UsageError that names the wrong flags
 */
export function parseFlags(configuration: string, given: InitFlags): CheckedConfiguration {
  try {
    return { configuration, registration: parseRegistration(configuration, 'apisvc.yaml') };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const faults = error.problems.map(({ path, message }) => ({
      flag: flagOfSetting.get(path) ?? flagOfPath.find(([pattern]) => pattern.test(path))?.[1] ?? path,
      message: message.replace(/(?<=longer than )caLifetime/, '--ca-lifetime'),
    }));
    const copies = faults.some(({ flag }) => flag === '--name') ? copiesOfName(given) : [];
    const lines = faults.filter(({ flag }) => !copies.includes(flag)).map(({ flag, message }) => `${flag}: ${message}`);
    throw new UsageError([...new Set(lines)].join('\n'), { cause: error });
  }
}

/** The flags whose default is the name. */
const copiesOfName = ({ namespace, service }: InitFlags): readonly string[] => [
  ...(namespace === undefined ? ['--namespace'] : []),
  ...(service === undefined ? ['--service'] : []),
];
