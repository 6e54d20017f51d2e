import { type Document, isMap, isScalar, isSeq } from 'yaml';
import type { KeyType } from '../pki/types.ts';
import { type IssuerSettingKey, issuerSettingKeys, issuerSettings } from './issuer-flags.ts';
import type { IssuerType } from './schema-certificates.ts';
import { editableYaml, yamlText } from './yaml.ts';

/** What `init` changes in a preset. An absent value stays as the preset has it. */
export interface Overrides extends Readonly<Partial<Record<IssuerSettingKey, string>>> {
  readonly name?: string;
  readonly namespace?: string;
  readonly service?: string;
  readonly apis?: readonly { readonly group: string; readonly version: string }[];
  readonly image?: string;
  readonly keyType?: KeyType;
  readonly issuer?: IssuerType;
  readonly lifetime?: string;
  readonly clusterDomain?: string;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly nameConstraints?: boolean;
}

const issuer = ['spec', 'certificates', 'issuer'] as const;

const settingPaths = Object.fromEntries(
  issuerSettingKeys.map((key): [IssuerSettingKey, readonly string[]] => [key, [...issuer, ...issuerSettings[key].path]]),
) as Readonly<Record<IssuerSettingKey, readonly string[]>>;

const paths = {
  name: ['metadata', 'name'],
  namespace: ['metadata', 'namespace'],
  service: ['spec', 'service', 'name'],
  image: ['spec', 'server', 'image'],
  issuer: [...issuer, 'type'],
  keyType: ['spec', 'certificates', 'keyType'],
  lifetime: ['spec', 'certificates', 'lifetime'],
  ...settingPaths,
  nameConstraints: [...issuer, 'nameConstraints'],
  clusterDomain: ['spec', 'certificates', 'clusterDomain'],
  dnsNames: ['spec', 'certificates', 'dnsNames'],
  ipAddresses: ['spec', 'certificates', 'ipAddresses'],
} as const satisfies Partial<Record<keyof Overrides, readonly string[]>>;

/** Sets a value without quotes where YAML allows it. The empty strings of `custom` have quotes. */
function setPlain(document: Document, path: readonly (string | number)[], value: unknown): void {
  document.setIn(path, typeof value === 'object' ? document.createNode(value) : value);
  const node = document.getIn(path, true);
  if (isScalar(node)) node.type = 'PLAIN';
}

/** Each issuer has its own settings, so those of the preset's issuer go with it. */
function removeSettings(document: Document): void {
  const settings = document.getIn(issuer);
  if (isMap(settings)) settings.items = settings.items.filter(({ key }) => isScalar(key) && key.value === 'type');
}

/**
 * Writes overrides into the text of a preset and keeps its comments. The first API replaces that of
 * the preset; further APIs get the same priorities.
 */
export function customise(text: string, overrides: Overrides): string {
  const document = editableYaml(text);
  if (overrides.issuer !== undefined && overrides.issuer !== document.getIn(paths.issuer)) removeSettings(document);
  for (const [key, path] of Object.entries(paths)) {
    const value = overrides[key as keyof typeof paths];
    if (value === undefined) continue;
    setPlain(document, path, value);
  }
  const list = document.getIn(['spec', 'apis']);
  if (overrides.apis && isSeq(list)) {
    const [first] = list.toJSON() as Record<string, unknown>[];
    for (const [index, { group, version }] of overrides.apis.entries()) {
      if (index >= list.items.length) list.add(document.createNode({ ...first, group, version }));
      setPlain(document, ['spec', 'apis', index, 'group'], group);
      setPlain(document, ['spec', 'apis', index, 'version'], version);
    }
    list.items.splice(overrides.apis.length);
  }
  return yamlText(document);
}
