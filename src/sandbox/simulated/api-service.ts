import { badRequest, invalid } from '../shared/failure.ts';
import { required, type Wrong, wrong } from './faults.ts';
import { breaks, dns1123Subdomain, rule } from './names.ts';
import { timestamp } from './store.ts';
import type { Obj } from './types.ts';

/**
 * The types of k8s.io/kube-aggregator/pkg/apis/apiregistration/v1/types.go; the order is that of
 * its JSON.
 */
const serviceFields = { namespace: 'string', name: 'string', port: 'int32' };
const specFields = {
  service: 'v1.ServiceReference',
  group: 'string',
  version: 'string',
  insecureSkipTLSVerify: 'bool',
  caBundle: '[]uint8',
  groupPriorityMinimum: 'int32',
  versionPriority: 'int32',
};

/** Written even when they are zero. */
const withoutOmitEmpty = ['port', 'groupPriorityMinimum', 'versionPriority'];

/**
 * An APIService as kube-apiserver stores it: fields that it doesn't know and empty ones are gone,
 * the port of the Service is 443 unless given. A new one has no status but that of a Local one,
 * which is available at once (k8s.io/kube-aggregator/pkg/registry/apiservice/strategy.go).
 * @param old - what it replaces; its status is kept
 * @throws ApiFailure 400 where a field is of another type, caBundle not base64 included; 422 where
 * a value is refused, with its words and causes
 */
export function prepareApiService(object: Obj, old: Obj | undefined, now: Date): Obj {
  const spec = decode(object.spec ?? {}, 'APIServiceSpec', 'spec', specFields);
  if (spec.service) spec.service = withPort(decode(spec.service, 'ServiceReference', 'spec.service', serviceFields));
  const { name } = object.metadata;
  const causes = faults(name ?? '', spec);
  if (causes.length > 0) throw invalid({ group: 'apiregistration.k8s.io', kind: 'APIService' }, name, causes);
  const status = old ? old.status : spec.service ? {} : { conditions: [localCondition(now)] };
  return { ...object, spec: defined(spec), status };
}

const withPort = (service: Obj): Obj => ({ ...service, port: service.port ?? 443 });

export const localCondition = (now: Date): Obj => ({
  type: 'Available',
  status: 'True',
  lastTransitionTime: timestamp(now),
  reason: 'Local',
  message: 'Local APIServices are always available',
});

export const availableCondition = (apiService: Obj): Obj | undefined =>
  apiService.status?.conditions?.find(({ type }: Obj) => type === 'Available');

/** Takes the known fields with a value, as encoding/json does. */
function decode(value: Obj, struct: string, path: string, fields: Readonly<Record<string, string>>): Obj {
  const mismatch = (found: unknown, type: string, at: string): Error =>
    cannotBeHandled(
      `json: cannot unmarshal ${type === 'int32' && typeof found === 'number' ? `number ${found}` : jsonType(found)} into Go struct field ${at} of type ${type}`,
    );
  if (jsonType(value) !== 'object')
    throw mismatch(value, `v1.${struct}`, struct === 'APIServiceSpec' ? 'APIService.spec' : `APIServiceSpec.${path}`);
  const present = Object.entries(fields).filter(([field]) => value[field] !== undefined && value[field] !== null);
  for (const [field, type] of present) if (!isOfType(value[field], type)) throw mismatch(value[field], type, `${struct}.${path}.${field}`);
  const fault = typeof value.caBundle === 'string' ? base64Fault(value.caBundle) : undefined;
  if (fault !== undefined) throw cannotBeHandled(`illegal base64 data at input byte ${fault}`);
  return Object.fromEntries(present.map(([field]) => [field, value[field]]));
}

/**
 * Where a text is not base64, as far as Go's encoding/base64 reads; line ends count for nothing.
 * @returns undefined for sound base64
 */
export function base64Fault(text: string): number | undefined {
  const odd = text.search(/[^A-Za-z0-9+/=\r\n]/);
  const digits = text.replace(/[\r\n]/g, '');
  if (odd < 0 && digits.length % 4 === 0 && /^[^=]*={0,2}$/.test(digits)) return undefined;
  return odd < 0 ? text.length - (digits.length % 4) : odd;
}

const cannotBeHandled = (why: string): Error => badRequest(`APIService in version "v1" cannot be handled as a APIService: ${why}`);

function jsonType(value: unknown): string {
  if (typeof value === 'boolean') return 'bool';
  return Array.isArray(value) ? 'array' : typeof value;
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'int32') return Number.isInteger(value);
  if (type === 'bool') return typeof value === 'boolean';
  return type === 'v1.ServiceReference' || typeof value === 'string';
}

/** What encoding/json writes: empty fields only where their tag has no omitempty. */
const defined = (spec: Obj): Obj => ({
  ...withoutEmpty(spec),
  groupPriorityMinimum: spec.groupPriorityMinimum ?? 0,
  versionPriority: spec.versionPriority ?? 0,
  ...(spec.service ? { service: withoutEmpty(spec.service) } : {}),
  // In Go these are bytes: line ends in the text are lost.
  ...(spec.caBundle ? { caBundle: spec.caBundle.replace(/[\r\n]/g, '') } : {}),
});

const withoutEmpty = (value: Obj): Obj =>
  Object.fromEntries(Object.entries(value).filter(([field, content]) => content || withoutOmitEmpty.includes(field)));

const dns1035Words =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
const dns1035Label = rule(dns1035Words, '[a-z]([-a-z0-9]*[a-z0-9])?', 63, 'my-name', 'abc-123');

/**
 * In the order of ValidateAPIService
 * (k8s.io/kube-aggregator/pkg/apis/apiregistration/validation/validation.go).
 */
function faults(name: string, spec: Obj): Wrong[] {
  const { service, group = '', version = '', insecureSkipTLSVerify = false, groupPriorityMinimum = 0, versionPriority = 0 } = spec;
  const caBytes = Buffer.from(spec.caBundle ?? '', 'base64').length;
  const found = nameFaults(name, `${version}.${group}`).map((detail) => wrong('metadata.name', name, detail));
  if (name === '') found.splice(0, 1, required('metadata.name', 'name or generateName is required'));
  if (group === '' && version !== 'v1') found.push(required('spec.group', 'only v1 may have an empty group and it better be legacy kube'));
  if (group !== '') found.push(...breaks(dns1123Subdomain, group).map((words) => wrong('spec.group', group, words)));
  found.push(...breaks(dns1035Label, version).map((words) => wrong('spec.version', version, words)));
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > 20_000)
    found.push(wrong('spec.groupPriorityMinimum', groupPriorityMinimum, 'must be positive and less than 20000'));
  if (versionPriority <= 0 || versionPriority > 1000)
    found.push(wrong('spec.versionPriority', versionPriority, 'must be positive and less than 1000'));
  if (!service) {
    if (caBytes > 0) found.push(wrong('spec.caBundle', `${caBytes} bytes`, 'local APIServices may not have a caBundle'));
    if (insecureSkipTLSVerify)
      found.push(wrong('spec.insecureSkipTLSVerify', true, 'local APIServices may not have insecureSkipTLSVerify'));
    return found;
  }
  if (!service.namespace) found.push(required('spec.service.namespace'));
  if (!service.name) found.push(required('spec.service.name'));
  if (service.port < 1 || service.port > 65_535)
    found.push(wrong('spec.service.port', service.port, 'port is not valid: must be between 1 and 65535, inclusive'));
  if (insecureSkipTLSVerify && caBytes > 0) found.push(wrong('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present'));
  return found;
}

/** A name that can be no part of a path is told so, and not what it should be. */
function nameFaults(name: string, required: string): string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  const signs = ['/', '%'].filter((sign) => name.includes(sign));
  if (signs.length > 0) return signs.map((sign) => `may not contain '${sign}'`);
  return name === required ? [] : [`must be \`spec.version+"."+spec.group\`: ${JSON.stringify(required)}`];
}
