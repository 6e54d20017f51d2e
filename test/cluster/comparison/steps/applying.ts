import { fieldManager } from '../../../../src/cluster/field-owners.ts';
import type { KubeObject } from '../../../../src/manifests/types.ts';
import { refusals } from '../client.ts';
import type { Step } from '../step.ts';
import { namespace, type World } from '../world.ts';
import { apply, pathOf } from './apply.ts';
import { configMap } from './config-maps.ts';

/** Server-side apply (KEP-555) of objects with several managers. */

const service = (name: string, ...ports: readonly object[]): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace },
  spec: { ports },
});

const step = (name: string, run: (world: World) => Promise<unknown>): Step => ({ name: `apply-${name}`, run });

export const applying: readonly Step[] = [
  step('conflict', async (world) => {
    const { name } = world;
    return {
      first: await apply(world, configMap(name, { a: '1', b: '1' })),
      conflict: await apply(world, configMap(name, { a: '2', b: '2', c: '2' }), 'other'),
      sameValue: await apply(world, configMap(name, { b: '1' }), 'other'),
      forced: await apply(world, configMap(name, { a: '2', b: '2' }), 'other', '&force=true'),
      back: await apply(world, configMap(name, { a: '1', b: '1' })),
    };
  }),
  step('conflict-with-update', async (world) => {
    const { name, admin } = world;
    await apply(world, configMap(name, { a: '1' }));
    const path = pathOf(configMap(name));
    const edited = await admin.ask('PATCH', `${path}?fieldManager=editor`, {
      body: { data: { a: '2' }, metadata: { labels: { edited: 'yes' } } },
      contentType: 'application/merge-patch+json',
    });
    return {
      edited,
      conflict: await apply(world, configMap(name, { a: '1' })),
      forced: await apply(world, configMap(name, { a: '1' }), fieldManager, '&force=true'),
    };
  }),
  step('conflict-over-bundle', async (world) => {
    const { name, register, settled, admin, serve } = world;
    const path = `/apis/apiregistration.k8s.io/v1/apiservices/v1.${name}.example.com`;
    await register({ port: await serve() });
    await settled();
    const { body } = await admin.ask('GET', path);
    const { kind, apiVersion, spec } = body as KubeObject;
    const object = {
      kind,
      apiVersion,
      metadata: { name: `v1.${name}.example.com` },
      spec: { ...(spec as object), caBundle: 'QQ==', versionPriority: 16 },
    };
    return { conflict: await apply(world, object), dryRun: await apply(world, object, fieldManager, '&force=true&dryRun=All') };
  }),
  step('dry-run', async (world) => {
    const { name, admin } = world;
    const dry = await apply(world, configMap(name, { a: '1' }), fieldManager, '&dryRun=All');
    const absent = await admin.ask('GET', pathOf(configMap(name)));
    await apply(world, configMap(name, { a: '1' }));
    const changed = await apply(world, configMap(name, { a: '2' }), fieldManager, '&dryRun=All');
    const unchanged = await admin.ask('GET', pathOf(configMap(name)));
    return { dry, absent, changed, unchanged };
  }),
  step('removes-fields', async (world) => {
    const { name } = world;
    return {
      first: await apply(world, configMap(name, { a: '1', b: '1' }, { labels: { x: '1', y: '1' }, annotations: { z: '1' } })),
      shared: await apply(world, configMap(name, { b: '1' }), 'other'),
      fewer: await apply(world, configMap(name, { a: '1' }, { labels: { x: '1' } })),
      none: await apply(world, configMap(name)),
      unowned: await apply(world, configMap(name), 'other'),
    };
  }),
  step('list-by-key', async (world) => {
    const { name } = world;
    return {
      first: await apply(world, service(name, { name: 'a', port: 1 }, { name: 'b', port: 2 })),
      more: await apply(world, service(name, { name: 'c', port: 3, targetPort: 'three' }), 'other'),
      conflict: await apply(world, service(name, { name: 'd', port: 2, targetPort: 7 }), 'other'),
      fewer: await apply(world, service(name, { name: 'b', port: 2 })),
    };
  }),
  step('set', async (world) => {
    const { name } = world;
    const withFinalizers = (...finalizers: readonly string[]) => configMap(name, undefined, { finalizers });
    const results = {
      first: await apply(world, withFinalizers('a.example.com/x', 'a.example.com/y')),
      more: await apply(world, withFinalizers('a.example.com/z'), 'other'),
      fewer: await apply(world, withFinalizers('a.example.com/y')),
    };
    await apply(world, withFinalizers());
    await apply(world, withFinalizers(), 'other');
    return results;
  }),
  step('atomic', async (world) => {
    const { name } = world;
    const slice = (...addresses: readonly string[]): KubeObject => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, namespace, labels: { 'kubernetes.io/service-name': 'none' } },
      addressType: 'IPv4',
      endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
      ports: [{ name: '', port: 1, protocol: 'TCP' }],
    });
    return { first: await apply(world, slice('192.0.2.1')), conflict: await apply(world, slice('192.0.2.2'), 'other') };
  }),
  step('role', async (world) => {
    const role = (...verbs: readonly string[]): KubeObject => ({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: world.name, namespace },
      rules: [{ apiGroups: [''], resources: ['configmaps'], verbs }],
    });
    return {
      first: await apply(world, role('get')),
      conflict: await apply(world, role('list'), 'other'),
      forced: await apply(world, role('list'), 'other', '&force=true'),
    };
  }),
  step('yaml', (world) =>
    world.admin.ask('PATCH', `${pathOf(configMap(world.name))}?fieldManager=me`, {
      body: `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${world.name}\ndata:\n  text: |\n    two\n    lines\n`,
      contentType: 'application/apply-patch+yaml',
    }),
  ),
  step('wrong-requests', async (world) => {
    const { name, admin } = world;
    const path = pathOf(configMap(name));
    const patch = (body: unknown, query = '?fieldManager=me', contentType = 'application/apply-patch+yaml') =>
      admin.ask('PATCH', path + query, { body, contentType });
    return refusals({
      managedFields: await patch(configMap(name, undefined, { managedFields: [{ manager: 'me' }] })),
      otherName: await patch(configMap('other')),
      otherNamespace: await patch({ ...configMap(name), metadata: { name, namespace: 'default' } }),
      otherKind: await patch({ ...configMap(name), kind: 'Secret' }),
      noKind: await patch({ metadata: { name } }),
      noYaml: await patch('a: b: c'),
      unknownPatch: await patch({}, '?fieldManager=me', 'application/made-up'),
    });
  }),
];
