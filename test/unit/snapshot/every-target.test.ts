import { expect, test } from 'vitest';
import type { KubeObject } from '../../../src/manifests/types.ts';
import { everyTarget } from '../../../src/snapshot/targets.ts';
import type { EndpointView, ServiceView } from '../../../src/snapshot/types.ts';
import { viewService } from '../../../src/snapshot/views.ts';

const service = (targetPort: unknown, selector: object = { app: 'api' }): ServiceView =>
  viewService({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'api' },
    spec: { selector, ports: [{ name: 'https', port: 443, targetPort }] },
  });

const pod = (name: string, { phase = 'Running', ip = '10.0.0.1', deleting = false, port = 8443 } = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, ...(deleting ? { deletionTimestamp: '2026-11-28T12:00:00Z' } : {}) },
  spec: { containers: [{ name: 'server', ports: [{ name: 'tls', containerPort: port }] }] },
  status: { phase, ...(ip === '' ? {} : { podIP: ip }) },
});

const endpoint = (address: string, owner?: string, ready = true): EndpointView => ({
  slice: 'api-1',
  address,
  ready,
  pod: owner,
  ports: [{ name: 'https', port: 8443 }],
});

const targetsOf = (pods: readonly KubeObject[], endpoints: readonly EndpointView[], targetPort: unknown = 8443) =>
  everyTarget(service(targetPort), { pods, endpoints, port: 443 });

test('every pod that has not ended may serve, also one that is not ready or is being deleted', () => {
  const pods = [pod('ready'), pod('deleted', { deleting: true }), pod('done', { phase: 'Succeeded' }), pod('evicted', { phase: 'Failed' })];
  const { targets, serving } = targetsOf(pods, [endpoint('10.0.0.1', 'ready')]);
  expect(targets.map((target) => target.pod)).toEqual(['ready', 'deleted']);
  expect(serving.map(({ metadata }) => metadata.name)).toEqual(['ready', 'deleted']);
});

test('a pod without an address is waited for', () => {
  const { targets, waiting } = targetsOf([pod('new', { phase: 'Pending', ip: '' })], []);
  expect({ targets, waiting }).toEqual({ targets: [], waiting: ['pod new is Pending'] });
});

test('a named port is the one of each pod; a pod without it is no endpoint', () => {
  expect(targetsOf([pod('one', { port: 8443 }), pod('two', { port: 9443 })], [], 'tls').targets.map(({ port }) => port)).toEqual([
    8443, 9443,
  ]);
  expect(targetsOf([pod('one')], [], 'other').targets).toEqual([]);
});

test('endpoints that are no pods of the Service are looked at too, ready or not', () => {
  const { targets } = targetsOf(
    [pod('api-0')],
    [endpoint('10.0.0.1', 'api-0'), endpoint('192.0.2.1'), endpoint('192.0.2.2', 'gone', false)],
  );
  expect(targets.map(({ address }) => address)).toEqual(['10.0.0.1', '192.0.2.1', '192.0.2.2']);
});

test('the port of a pod is the one of its endpoint, where pods share an address', () => {
  const at = (name: string, port: number, address = '10.0.0.1') => ({ ...endpoint(address, name), ports: [{ name: 'https', port }] });
  const pods = [pod('old'), pod('new'), pod('starting'), pod('moved')];
  const { targets } = targetsOf(pods, [at('old', 8443), at('new', 39001, '10.0.0.1'), at('moved', 39002, '10.0.0.9')]);
  expect(targets.map(({ pod, port }) => [pod, port])).toEqual([
    ['old', 8443],
    ['new', 39001],
    ['starting', 8443],
    ['moved', 8443],
  ]);
});
