import { describe, expect, test } from 'vitest';
import { slicesFor } from '../../../../src/sandbox/node/endpoint-slices.ts';
import type { Json } from '../../../../src/sandbox/node/registry.ts';
import { created, podOf, readyAt } from './objects.ts';

const service = (spec: Json = {}): Json =>
  created({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'api' },
    spec: { selector: { app: 'app' }, ports: [{ port: 443, targetPort: 'https', protocol: 'TCP' }], ...spec },
  });
const ready = readyAt('2030-01-01T00:00:00Z');
const pod = (name: string, more: Json = {}): Json =>
  podOf(name, { ports: [{ name: 'https', containerPort: 8443 }] }, { status: ready, ...more });
const asDeclared = (_: Json, port: number): number => port;

describe('the EndpointSlices of a Service', () => {
  test('have the ports where the pods listen, in one slice for pods with the same ports', () => {
    const pods = [pod('one'), pod('two'), pod('three')];
    const portOf = ({ metadata }: Json, port: number): number => (metadata.name === 'two' ? 40_001 : port);
    const slices = slicesFor(service(), pods, portOf);
    expect(slices.map(({ ports, endpoints }) => [ports, endpoints.map(({ targetRef }: Json) => targetRef.name)])).toEqual([
      [[{ name: '', port: 8443, protocol: 'TCP' }], ['one', 'three']],
      [[{ name: '', port: 40_001, protocol: 'TCP' }], ['two']],
    ]);
    expect(slices[0]).toMatchObject({
      addressType: 'IPv4',
      metadata: {
        namespace: 'ns',
        labels: { 'kubernetes.io/service-name': 'api', 'endpointslice.kubernetes.io/managed-by': 'apisvc-sandbox' },
      },
    });
    expect(new Set(slices.map(({ metadata }) => metadata.name)).size).toBe(2);
  });

  test.each([
    ['a ready pod', {}, { ready: true, serving: true, terminating: false }],
    ['a pod that is not ready', { status: { phase: 'Running', podIP: '10.0.0.1' } }, { ready: false, serving: false, terminating: false }],
    ['a terminating pod', { metadata: { deletionTimestamp: '2030-01-01T00:00:00Z' } }, { ready: false, serving: true, terminating: true }],
  ])('have the conditions of %s', (_, more, conditions) => {
    expect(slicesFor(service(), [pod('one', more)], asDeclared)[0].endpoints[0].conditions).toEqual(conditions);
  });

  test('use a numeric or missing targetPort, and omit a name that the pod does not declare', () => {
    const ports = [
      { name: 'a', port: 1, targetPort: 9 },
      { name: 'b', port: 2 },
      { name: 'c', port: 3, targetPort: 'none' },
    ];
    expect(slicesFor(service({ ports }), [pod('one')], asDeclared)[0].ports).toEqual([
      { name: 'a', port: 9, protocol: 'TCP' },
      { name: 'b', port: 2, protocol: 'TCP' },
    ]);
  });

  test('exclude pods of other namespaces or labels, without an address, or that have ended', () => {
    const others = [
      pod('elsewhere', { metadata: { namespace: 'other' } }),
      pod('other', { metadata: { labels: { app: 'other' } } }),
      pod('new', { status: undefined }),
      pod('ended', { status: { ...ready, phase: 'Failed' } }),
    ];
    expect(slicesFor(service(), others, asDeclared)).toEqual([]);
  });

  test('do not exist for a Service without selector or of type ExternalName', () => {
    expect(slicesFor(service({ selector: undefined }), [pod('one')], asDeclared)).toEqual([]);
    expect(slicesFor(service({ type: 'ExternalName' }), [pod('one')], asDeclared)).toEqual([]);
  });
});
