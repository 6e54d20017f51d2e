import { apiServiceNameOf, handMade } from '../../harness/registrations.ts';
import type { Difference, Step } from '../step.ts';
import { namespace } from '../world.ts';

/**
 * APIServices that kube-apiserver does not accept
 * (k8s.io/kube-aggregator/pkg/apis/apiregistration/validation).
 */

const collection = '/apis/apiregistration.k8s.io/v1/apiservices';
const ca = '-----BEGIN CERTIFICATE-----\nQ0E=\n-----END CERTIFICATE-----\n';

const objectOf = (service: string, spec: object, metadata: object = {}) => {
  const { apiService } = handMade({ namespace, service, port: 1, ca, host: '192.0.2.1', apiServiceSpec: spec });
  return { ...apiService, metadata: { ...apiService.metadata, ...metadata } };
};

/** Tries to create one. */
const creating = (name: string, body: (service: string) => unknown, differs: readonly Difference[] = []): Step => ({
  differs,
  name: `refused-${name}`,
  run: ({ admin, afterwards, name: service }) => {
    // Some are accepted after all.
    afterwards(`${collection}/${apiServiceNameOf(service)}`);
    return admin.ask('POST', collection, { body: body(service) });
  },
});
const refusal = (name: string, spec: object, metadata?: object, differs?: readonly Difference[]): Step =>
  creating(name, (each) => objectOf(each, spec, metadata), differs);

const service = (name: string, change: object): Step => refusal(name, { service: { name: 'api', namespace, port: 443, ...change } });

/** A JSON text that JSON.stringify would not make, in the place of a string. */
const rawText = (name: string, text: (json: string) => string, differs?: readonly Difference[]): Step =>
  creating(name, (each) => text(JSON.stringify(objectOf(each, { caBundle: 'HERE' }))), differs);

/** It is accepted, with a warning. */
const unwarned = (reason: string, words: string): readonly Difference[] => [
  { reason, at: 'headers.warning', real: `299 - ${JSON.stringify(words)}`, simulated: undefined },
];

export const refused: readonly Step[] = [
  refusal('other-name', {}, { name: 'v1.elsewhere.example.com' }),
  refusal('bad-name', {}, { name: 'V1_' }),
  refusal('no-name', {}, { name: undefined }),
  refusal('no-group', { group: undefined }),
  refusal('no-version', { version: undefined }),
  refusal('bad-group', { group: 'Not.A_Group' }),
  refusal('bad-version', { version: 'V-1' }),
  refusal('insecure-with-bundle', { insecureSkipTLSVerify: true }),
  refusal('group-priority-missing', { groupPriorityMinimum: undefined }),
  refusal('group-priority-too-high', { groupPriorityMinimum: 20_001 }),
  refusal('group-priority-negative', { groupPriorityMinimum: -1 }),
  refusal('version-priority-missing', { versionPriority: 0 }),
  refusal('version-priority-too-high', { versionPriority: 1_001 }),
  refusal('priority-no-number', { versionPriority: 'high' }),
  refusal('priority-no-integer', { versionPriority: 1.5 }),
  service('service-without-name', { name: undefined }),
  service('service-without-namespace', { namespace: undefined }),
  service('service-port-0', { port: 0 }),
  service('service-port-too-high', { port: 65_536 }),
  service('service-empty', { name: '', namespace: '', port: -1 }),
  refusal('local-with-bundle', { service: undefined }),
  refusal('local-insecure', { service: undefined, caBundle: undefined, insecureSkipTLSVerify: true }),
  refusal('no-spec', { group: '', version: '', groupPriorityMinimum: 0, versionPriority: 0 }),
  refusal('bad-base64', { caBundle: '-----BEGIN CERTIFICATE-----' }),
  refusal('bundle-no-string', { caBundle: 7 }),
  refusal('bad-labels', {}, { labels: { 'not a label': 'not a value!' } }),
  refusal(
    'unknown-field',
    { nameOfMy: 'own' },
    {},
    unwarned('the simulation knows the fields of an object at its top alone', 'unknown field "spec.nameOfMy"'),
  ),
  rawText(
    'field-twice',
    (json) => json.replace('"HERE"', '"","caBundle":""'),
    unwarned('what reads JSON in the simulation does not tell', 'duplicate field "spec.caBundle"'),
  ),
];
