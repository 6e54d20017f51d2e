import { expect, test } from 'vitest';
import { endpointSliceKind, serviceKind } from '../../../../src/sandbox/simulated/lookup.ts';
import { resolveEndpoint } from '../../../../src/sandbox/simulated/routes.ts';
import { expose, host, simulate } from './testbed.ts';

test('every ready endpoint that has the port is picked, and no other', async () => {
  const { store } = await simulate();
  const to = (port: number) => () => resolveEndpoint(store, { namespace: 'default', name: 'api', port });
  const ports = [
    { name: 'https', port: 443 },
    { name: 'none', port: 80 },
  ];
  store.create(serviceKind, { metadata: { name: 'api', namespace: 'default' }, spec: { ports } });
  const slice = (port: number, name: string, ...endpoints: (readonly [string, boolean | undefined])[]) =>
    store.create(endpointSliceKind, {
      metadata: { name: `api-${port}`, namespace: 'default', labels: { 'kubernetes.io/service-name': 'api' } },
      ports: [{ port, name }],
      endpoints: endpoints.map(([address, ready]) => ({ addresses: [address], conditions: { ready } })),
    });
  slice(1, 'https', ['a', true], ['b', false], ['c', undefined]);
  slice(2, 'https', ['d', true]);
  slice(3, 'other', ['e', true]);
  const picked = Array.from({ length: 500 }, to(443)).map((route) => `${route.host}:${route.port}`);
  expect([...new Set(picked)].sort()).toEqual(['a:1', 'c:1', 'd:2']);
  expect(to(80)).toThrow('no endpoints available for service "api"');
  expect(to(81)).toThrow('no service port 81 found for service "api"');
});

test.each([{}, { type: 'NodePort' }, { type: 'LoadBalancer' }, { clusterIP: 'None' }])(
  'a Service leads to its endpoints: %j',
  async (service) => {
    const simulation = await simulate();
    expose(simulation, 8443, service);
    expect(resolveEndpoint(simulation.store, { namespace: 'default', name: 'api', port: 443 })).toEqual({ host, port: 8443 });
  },
);

test('a missing Service and an ExternalName have no endpoint', async () => {
  const simulation = await simulate();
  expose(simulation, 8443, { type: 'ExternalName' });
  const to = (name: string) => () => resolveEndpoint(simulation.store, { namespace: 'default', name, port: 443 });
  expect(to('none')).toThrow('service "none" not found');
  expect(to('api')).toThrow('unsupported service type "ExternalName"');
});
