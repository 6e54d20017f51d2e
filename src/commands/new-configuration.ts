import { basename, resolve } from 'node:path';
import { ConfigurationError, parseRegistration } from '../config/load.ts';
import { dns1035Label, nameFault } from '../config/names.ts';
import { type PresetName, presetNames } from '../config/preset-names.ts';
import { customise, type Overrides, presetText } from '../config/presets.ts';
import type { Registration } from '../config/schema.ts';
import { UsageError } from '../errors.ts';
import type { KeyType } from '../pki/types.ts';
import type { CaFlags } from './given-authority.ts';
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

/**
 * The text of a new apisvc.yaml: the preset with what the flags, or the person, say.
 * @throws UsageError that names the flag when something is missing and nobody can be asked
 */
export async function newConfiguration(dir: string, flags: InitFlags, terminal: Terminal): Promise<string> {
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

/** What the flags change in a preset. */
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

/** Checks a configuration that is not a file yet. @throws UsageError whose words name the flags that are at fault */
export function parseFlags(configuration: string): Registration {
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
