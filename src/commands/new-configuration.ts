import { basename, resolve } from 'node:path';
import { customise, type Overrides } from '../config/customise.ts';
import { issuerFlags } from '../config/issuer-flags.ts';
import { ConfigurationError, parseRegistration } from '../config/load.ts';
import { dns1035Label, nameFault } from '../config/names.ts';
import { type PresetName, presetText } from '../config/presets.ts';
import type { Registration } from '../config/schema.ts';
import type { IssuerType } from '../config/schema-certificates.ts';
import { UsageError } from '../errors.ts';
import type { KeyType } from '../pki/types.ts';
import type { CaFlags } from './ca-flags.ts';
import { together } from './together.ts';

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

/** Flags that answer every question. */
export interface CompleteFlags extends InitFlags {
  readonly preset: PresetName;
}

/** The text of a new apisvc.yaml: the preset with the values of the flags. */
export function newConfiguration(dir: string, flags: CompleteFlags): string {
  const { preset } = flags;
  return customise(presetText(preset), overridesOf(flags, preset === 'custom' ? customDefaults(dir, flags) : {}));
}

/** Defaults for what the preset `custom` leaves open. */
function customDefaults(dir: string, { name = nameFrom(dir), namespace = name, service = name }: InitFlags): Overrides {
  return { name, namespace, service };
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

/** Flags about a CA that apisvc makes have no effect on one that exists. */
export function refuseSettingsOfNewCa({ caCert, caLifetime, nameConstraints }: InitFlags): void {
  const flags = [...(caLifetime === undefined ? [] : ['--ca-lifetime']), ...(nameConstraints ? [] : ['--no-name-constraints'])];
  if (caCert === undefined || flags.length === 0) return;
  const all = flags.join(' and ');
  throw new UsageError(`${all} ${flags.length === 1 ? 'has' : 'have'} no effect with --ca-cert: the CA already exists`, {
    fix: `Remove ${all}.`,
  });
}

/** The issuer that a flag selects. */
export const selectedIssuer = (flags: CaFlags): IssuerType | undefined =>
  (Object.keys(issuerFlags) as IssuerType[]).find((type) => {
    const { selectedBy } = issuerFlags[type];
    return selectedBy !== undefined && flags[selectedBy] !== undefined;
  });

/** The changes that flags make to a preset. */
export function overridesOf(flags: InitFlags, defaults: Overrides): Overrides {
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
    issuer: selectedIssuer(flags),
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
  [/^spec\.certificates\.issuer\.caLifetime$/, '--ca-lifetime'],
  [/^spec\.certificates\.clusterDomain$/, '--cluster-domain'],
  [/^spec\.certificates\.dnsNames/, '--dns'],
  [/^spec\.certificates\.ipAddresses/, '--ip'],
];

/**
 * Checks the flags before any prompt. Examples stand for what the flags leave open.
 * @returns the configuration, with these examples
 * @throws UsageError with every wrong flag
 */
export function checkFlags(dir: string, flags: InitFlags): CheckedConfiguration {
  const { preset = 'custom', api: given = [], image, caCert } = flags;
  const isCustom = preset === 'custom';
  const valid = given.filter((text) => isApi.test(text));
  const api = valid.length > 0 ? valid : isCustom ? ['example.com/v1'] : undefined;
  const example = {
    ...flags,
    preset,
    ...(api ? { api } : { api: undefined }),
    ...(isCustom ? { image: image ?? 'example' } : {}),
    ...(caCert === undefined ? {} : { caLifetime: undefined, nameConstraints: true }),
  };
  const [checked] = together(
    () => parseFlags(newConfiguration(dir, example as CompleteFlags)),
    () => refuseSettingsOfNewCa(flags),
    ...given.map((text) => () => parseApi(text)),
  );
  return checked;
}

/** The text of apisvc.yaml, and what it says. */
export interface CheckedConfiguration {
  readonly configuration: string;
  readonly registration: Registration;
}

/** Validates a configuration before it is written. @throws UsageError that names the wrong flags */
export function parseFlags(configuration: string): CheckedConfiguration {
  try {
    return { configuration, registration: parseRegistration(configuration, 'apisvc.yaml') };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const lines = error.problems.map(({ path, message }) => {
      const flag = flagOfPath.find(([pattern]) => pattern.test(path))?.[1];
      return flag ? `${flag}: ${message}` : `${path}: ${message}`;
    });
    throw new UsageError([...new Set(lines)].join('\n'), { cause: error });
  }
}
