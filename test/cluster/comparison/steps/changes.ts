import { makeCa, pem } from '../../harness/certificates.ts';
import { apiServiceNameOf } from '../../harness/registrations.ts';
import type { Step } from '../step.ts';
import { expectStatus, namespace, type World } from '../world.ts';
import { stateOf } from './registering.ts';

/** Registrations that change, and the conditions that follow. */

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const other = await makeCa('another CA');

const patchSpec = ({ admin, name }: World, spec: object) =>
  expectStatus(
    200,
    admin.ask('PATCH', `/apis/apiregistration.k8s.io/v1/apiservices/${apiServiceNameOf(name)}`, {
      body: { spec },
      contentType: 'application/merge-patch+json',
    }),
  );

const conditionOf = async ({ settled }: World): Promise<unknown> => (await settled()).condition;

export const changes: readonly Step[] = [
  {
    name: 'repaired',
    run: async (world) => {
      await world.register({ port: await world.serve(), ca: other });
      const broken = await stateOf(world);
      await patchSpec(world, { caBundle: base64(pem(world.ca)) });
      return { broken, repaired: await stateOf(world) };
    },
  },
  {
    name: 'broken-later',
    run: async (world) => {
      await world.register({ port: await world.serve() });
      const sound = await conditionOf(world);
      const slice = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices/${world.name}`;
      await expectStatus(200, world.admin.ask('DELETE', slice));
      const withoutEndpoints = await conditionOf(world);
      await expectStatus(200, world.admin.ask('DELETE', `/api/v1/namespaces/${namespace}/services/${world.name}`));
      return { sound, withoutEndpoints, withoutService: await conditionOf(world) };
    },
  },
  {
    name: 'other-port-later',
    run: async (world) => {
      await world.register({ port: await world.serve() });
      const sound = await conditionOf(world);
      await patchSpec(world, { service: { port: 8443 } });
      return { sound, otherPort: await conditionOf(world) };
    },
  },
  {
    name: 'deleted',
    run: async (world) => {
      const path = `/apis/apiregistration.k8s.io/v1/apiservices/${apiServiceNameOf(world.name)}`;
      await world.register({ port: await world.serve() });
      await world.settled();
      const deleted = await world.admin.ask('DELETE', path);
      return { deleted, again: await world.admin.ask('DELETE', path), ...(await stateOf(world)) };
    },
  },
  {
    name: 'local',
    run: async (world) => {
      await world.register({ port: 1, apiServiceSpec: { service: undefined, caBundle: undefined }, without: ['service', 'slice'] });
      return stateOf(world);
    },
  },
  {
    name: 'local-becomes-remote',
    run: async (world) => {
      const port = await world.serve();
      const spec = { service: undefined, caBundle: undefined };
      await world.register({ port, apiServiceSpec: spec });
      const local = await conditionOf(world);
      await patchSpec(world, { caBundle: base64(pem(world.ca)), service: { name: world.name, namespace } });
      return { local, remote: await stateOf(world) };
    },
  },
  {
    name: 'whole-object',
    run: async (world) => {
      const created = await world.register({ port: await world.serve() });
      await world.settled();
      const path = `/apis/apiregistration.k8s.io/v1/apiservices/${apiServiceNameOf(world.name)}`;
      return { created, later: await world.admin.ask('GET', path), status: await world.admin.ask('GET', `${path}/status`) };
    },
  },
];
