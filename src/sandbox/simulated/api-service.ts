import { dns1035Label, dns1123Subdomain } from '../../config/names.ts';
import { badRequest, invalid } from '../shared/failure.ts';
import { timestamp } from '../shared/timestamp.ts';
import { type Fault, nameFaults, required, wrong } from './faults.ts';
import type { Obj } from './types.ts';

// k8s.io/kube-aggregator/pkg/apis/apiregistration/v1/types.go
const serviceTypes = { namespace: 'string', name: 'string', port: 'number' };
const specTypes = {
  service: 'object',
  group: 'string',
  version: 'string',
  insecureSkipTLSVerify: 'boolean',
  caBundle: 'string',
  groupPriorityMinimum: 'number',
  versionPriority: 'number',
};

/**
 * An APIService as kube-apiserver stores it: without unknown and empty fields, with a port of the
 * Service, and with a status only where it is Local
 * (k8s.io/kube-aggregator/pkg/registry/apiservice/strategy.go).
 * @param old - what it replaces; its status is kept
 * @throws ApiFailure 400 for a field of another type or a caBundle that is not base64; 422 for an
 *   invalid value
 */
export function prepareApiService(object: Obj, old: Obj | undefined, now: Date): Obj {
  const { service, ...spec } = known(object.spec ?? {}, 'spec', specTypes);
  checkBase64('APIService', spec.caBundle ?? '');
  const complete = {
    // port 443 is a default, port 0 a mistake.
    ...(service ? { service: { ...known(service, 'spec.service', serviceTypes), port: service.port ?? 443 } } : {}),
    ...spec,
    groupPriorityMinimum: spec.groupPriorityMinimum ?? 0,
    versionPriority: spec.versionPriority ?? 0,
    // In Go these are bytes, without the line ends of the text.
    ...(spec.caBundle ? { caBundle: spec.caBundle.replace(/[\r\n]/g, '') } : {}),
  };
  const { name = '' } = object.metadata;
  const causes = faults(name, complete);
  if (causes.length > 0) throw invalid({ group: 'apiregistration.k8s.io', kind: 'APIService' }, name, causes);
  const status = old ? old.status : service ? {} : { conditions: [localCondition(now)] };
  return { ...object, spec: complete, status };
}

export const localCondition = (now: Date): Obj => ({
  type: 'Available',
  status: 'True',
  lastTransitionTime: timestamp(now),
  reason: 'Local',
  message: 'Local APIServices are always available',
});

export const availableCondition = (apiService: Obj): Obj | undefined =>
  apiService.status?.conditions?.find(({ type }: Obj) => type === 'Available');

/** The known fields that are not empty. */
function known(value: Obj, path: string, types: Readonly<Record<string, string>>): Obj {
  const present = Object.entries(types).filter(([field]) => value[field] !== undefined && value[field] !== null);
  const isMistyped = (held: unknown, type: string): boolean => typeof held !== type || (type === 'number' && !Number.isInteger(held));
  const mistyped = present.find(([field, type]) => isMistyped(value[field], type));
  if (typeof value !== 'object' || mistyped)
    throw badRequest(
      `APIService in version "v1" cannot be handled as a APIService: json: cannot unmarshal ${mistyped ? `${path}.${mistyped[0]}` : path}`,
    );
  return Object.fromEntries(present.map(([field]) => [field, value[field]]).filter(([, held]) => held !== '' && held !== false));
}

/** @throws ApiFailure 400 for a text that is not base64, in which line ends are ignored */
export function checkBase64(kind: string, text: string): void {
  const digits = text.replace(/[\r\n]/g, '');
  if (digits.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(digits)) return;
  throw badRequest(`${kind} in version "v1" cannot be handled as a ${kind}: illegal base64 data`);
}

/** k8s.io/kube-aggregator/pkg/apis/apiregistration/validation/validation.go, ValidateAPIService. */
function faults(name: string, spec: Obj): Fault[] {
  const { service, group = '', version = '', insecureSkipTLSVerify, caBundle, groupPriorityMinimum, versionPriority } = spec;
  const expected = `${version}.${group}`;
  const found: Fault[] = [];
  if (name !== expected) found.push(wrong('metadata.name', name, `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(expected)}`));
  if (group === '' && version !== 'v1') found.push(required('spec.group', 'only v1 may have an empty group and it better be legacy kube'));
  if (group !== '') found.push(...nameFaults('spec.group', group, dns1123Subdomain));
  found.push(...nameFaults('spec.version', version, dns1035Label));
  if (!(groupPriorityMinimum > 0 && groupPriorityMinimum <= 20_000))
    found.push(wrong('spec.groupPriorityMinimum', groupPriorityMinimum, 'must be positive and less than 20000'));
  if (!(versionPriority > 0 && versionPriority <= 1000))
    found.push(wrong('spec.versionPriority', versionPriority, 'must be positive and less than 1000'));
  if (!service) {
    if (caBundle) found.push(wrong('spec.caBundle', caBundle, 'local APIServices may not have a caBundle'));
    if (insecureSkipTLSVerify)
      found.push(wrong('spec.insecureSkipTLSVerify', true, 'local APIServices may not have insecureSkipTLSVerify'));
    return found;
  }
  for (const field of ['namespace', 'name']) if (!service[field]) found.push(required(`spec.service.${field}`));
  if (!(service.port >= 1 && service.port <= 65_535))
    found.push(wrong('spec.service.port', service.port, 'port is not valid: must be between 1 and 65535, inclusive'));
  if (insecureSkipTLSVerify && caBundle) found.push(wrong('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present'));
  return found;
}
