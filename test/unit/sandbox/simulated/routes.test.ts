import { expect, test } from 'vitest';
import { randomEndpoint, resolveEndpoint } from '../../../../src/sandbox/simulated/routes.ts';
import { expose, host, simulate } from './testbed.ts';

test('every ready endpoint that has the port is taken some day, and no other', () => {
  const slice = (port: number, name: string, ...endpoints: (readonly [string, boolean | undefined])[]) => ({
    ports: [{ port, name }],
    endpoints: endpoints.map(([address, ready]) => ({ addresses: [address], conditions: { ready } })),
  });
  const slices = [
    slice(1, 'https', ['a', true], ['b', false], ['c', undefined]),
    slice(2, 'https', ['d', true]),
    slice(3, 'other', ['e', true]),
    { ports: null, endpoints: null },
  ];
  const taken = Array.from({ length: 500 }, () => randomEndpoint(slices, 'api', 'https')).map((route) => `${route.host}:${route.port}`);
  expect([...new Set(taken)].sort()).toEqual(['a:1', 'c:1', 'd:2']);
  expect(() => randomEndpoint(slices, 'api', 'none')).toThrow('no endpoints available for service "api"');
});

test.each([{}, { type: 'NodePort' }, { type: 'LoadBalancer' }, { clusterIP: 'None' }])(
  'a Service leads to its endpoints: %j',
  async (service) => {
    const simulation = await simulate();
    expose(simulation, 8443, service);
    expect(resolveEndpoint(simulation.store, { namespace: 'default', name: 'api', port: 443 })).toEqual({ host, port: 8443 });
  },
);

test('there is no way to what is not there, or elsewhere', async () => {
  const simulation = await simulate();
  expose(simulation, 8443, { type: 'ExternalName' });
  const to = (name: string) => () => resolveEndpoint(simulation.store, { namespace: 'default', name, port: 443 });
  expect(to('none')).toThrow('service "none" not found');
  expect(to('api')).toThrow('unsupported service type "ExternalName"');
});
