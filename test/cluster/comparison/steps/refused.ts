import { apiServiceNameOf, handMade } from '../../harness/registrations.ts';
import { refusal } from '../client.ts';
import type { Step } from '../step.ts';
import { namespace } from '../world.ts';

/**
 * Invalid APIServices
 * (k8s.io/kube-aggregator/pkg/apis/apiregistration/validation).
 */

const collection = '/apis/apiregistration.k8s.io/v1/apiservices';
const ca = '-----BEGIN CERTIFICATE-----\nQ0E=\n-----END CERTIFICATE-----\n';

const objectOf = (service: string, spec: object, metadata: object = {}) => {
  const { apiService } = handMade({ namespace, service, port: 1, ca, host: '192.0.2.1', apiServiceSpec: spec });
  return { ...apiService, metadata: { ...apiService.metadata, ...metadata } };
};

/** Tries to create one. The wording of the refusal is not compared. */
const creating = (name: string, body: (service: string) => unknown): Step => ({
  name: `refused-${name}`,
  run: async ({ admin, afterwards, name: service }) => {
    afterwards(`${collection}/${apiServiceNameOf(service)}`);
    return refusal(await admin.ask('POST', collection, { body: body(service) }));
  },
});
const invalid = (name: string, spec: object, metadata?: object): Step => creating(name, (each) => objectOf(each, spec, metadata));

const service = (name: string, change: object): Step => invalid(name, { service: { name: 'api', namespace, port: 443, ...change } });

export const refused: readonly Step[] = [
  invalid('other-name', {}, { name: 'v1.elsewhere.example.com' }),
  invalid('bad-name', {}, { name: 'V1_' }),
  invalid('no-name', {}, { name: undefined }),
  invalid('no-group', { group: undefined }),
  invalid('no-version', { version: undefined }),
  invalid('bad-group', { group: 'Not.A_Group' }),
  invalid('bad-version', { version: 'V-1' }),
  invalid('insecure-with-bundle', { insecureSkipTLSVerify: true }),
  invalid('group-priority-missing', { groupPriorityMinimum: undefined }),
  invalid('group-priority-too-high', { groupPriorityMinimum: 20_001 }),
  invalid('group-priority-negative', { groupPriorityMinimum: -1 }),
  invalid('version-priority-missing', { versionPriority: 0 }),
  invalid('version-priority-too-high', { versionPriority: 1_001 }),
  invalid('priority-no-number', { versionPriority: 'high' }),
  invalid('priority-no-integer', { versionPriority: 1.5 }),
  service('service-without-name', { name: undefined }),
  service('service-without-namespace', { namespace: undefined }),
  service('service-port-0', { port: 0 }),
  service('service-port-too-high', { port: 65_536 }),
  service('service-empty', { name: '', namespace: '', port: -1 }),
  invalid('local-with-bundle', { service: undefined }),
  invalid('local-insecure', { service: undefined, caBundle: undefined, insecureSkipTLSVerify: true }),
  invalid('no-spec', { group: '', version: '', groupPriorityMinimum: 0, versionPriority: 0 }),
  invalid('bad-base64', { caBundle: '-----BEGIN CERTIFICATE-----' }),
  invalid('bundle-no-string', { caBundle: 7 }),
  invalid('bad-labels', {}, { labels: { 'not a label': 'not a value!' } }),
];
