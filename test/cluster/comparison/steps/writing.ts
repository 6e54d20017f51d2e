import { refOf } from '../../../../src/cluster/objects.ts';
import { resourcePath } from '../../../../src/cluster/resources.ts';
import type { KubeObject } from '../../../../src/manifests/types.ts';
import { apiServiceNameOf } from '../../harness/registrations.ts';
import { refusals } from '../client.ts';
import type { Step } from '../step.ts';
import { namespace } from '../world.ts';
import { aboutConfigMap, collection, configMap } from './config-maps.ts';

/** Valid and invalid creates and updates. */

export const writing: readonly Step[] = [
  aboutConfigMap('create', async ({ admin, name }, path) => ({
    dry: await admin.ask('POST', `${collection}?dryRun=All&fieldManager=maker`, { body: configMap(name) }),
    absent: await admin.ask('GET', path),
    created: await admin.ask('POST', `${collection}?fieldManager=maker`, { body: configMap(name, { a: '1' }, { labels: { x: 'y' } }) }),
    again: await admin.ask('POST', collection, { body: configMap(name) }),
    userAgent: await admin.ask('POST', collection, { body: configMap(`${name}-2`), headers: { 'user-agent': 'maker/v1.2 (linux)' } }),
  })),
  aboutConfigMap('create-wrong', async ({ admin: { ask }, name }) => ({
    ...refusals({
      noName: await ask('POST', collection, { body: configMap('') }),
      badName: await ask('POST', collection, { body: configMap('Not_A_Name') }),
      longName: await ask('POST', collection, { body: configMap('x'.repeat(254)) }),
      badLabel: await ask('POST', collection, { body: configMap(name, {}, { labels: { a: 'not a value' } }) }),
      wrongKind: await ask('POST', collection, { body: { ...configMap(name), kind: 'ServiceAccount' } }),
      wrongVersion: await ask('POST', collection, { body: { ...configMap(name), apiVersion: 'v2' } }),
      otherNamespace: await ask('POST', collection, { body: configMap(name, {}, { namespace: 'default' }) }),
      noNamespace: await ask('POST', '/api/v1/configmaps', { body: configMap(name) }),
      toName: await ask('POST', `${collection}/${name}`, { body: configMap(name) }),
      badJson: await ask('POST', collection, { body: '{"kind": "ConfigMap"' }),
      array: await ask('POST', collection, { body: [] }),
      text: await ask('POST', collection, { body: 'hello', contentType: 'text/plain' }),
    }),
    missingNamespace: await ask('POST', '/api/v1/namespaces/missing/configmaps', { body: configMap(name, {}, { namespace: undefined }) }),
    noKind: await ask('POST', `${collection}?dryRun=All`, { body: { metadata: { name } } }),
    noType: await ask('POST', `${collection}?dryRun=All`, { body: configMap(name), contentType: '' }),
    yaml: await ask('POST', `${collection}?dryRun=All`, { body: `metadata: {name: ${name}}\n`, contentType: 'application/yaml' }),
  })),
  aboutConfigMap('replace', async ({ admin: { ask }, create, name }, path) => {
    const [made] = await create(configMap(name, { a: '1' }, { labels: { a: 'b' } }));
    const { resourceVersion } = made.metadata;
    const put = (data: object, metadata: object = {}, query = '') =>
      ask('PUT', `${path}${query}`, { body: configMap(name, data, metadata) });
    return {
      dry: await put({ a: '2' }, { resourceVersion }, '?dryRun=All'),
      replaced: await put({ a: '2' }, { resourceVersion }, '?fieldManager=replacer'),
      stale: await put({ a: '3' }, { resourceVersion }),
      withoutVersion: await put({ a: '3' }),
      unchanged: await put({ a: '3' }),
      missing: await ask('PUT', `${path}-missing`, { body: configMap(`${name}-missing`, {}, { resourceVersion }) }),
      created: await ask('PUT', `${path}-created`, { body: configMap(`${name}-created`) }),
      ...refusals({
        otherName: await ask('PUT', path, { body: configMap('other') }),
        collection: await ask('PUT', collection, { body: configMap(name) }),
      }),
    };
  }),
  {
    name: 'status',
    run: async (world) => {
      const { admin, register, name } = world;
      await register({ port: 1, apiServiceSpec: { service: undefined, caBundle: undefined }, without: ['service', 'slice'] });
      await world.settled();
      const path = `/apis/apiregistration.k8s.io/v1/apiservices/${apiServiceNameOf(name)}`;
      const contentType = 'application/merge-patch+json';
      const condition = { type: 'Own', status: 'True', reason: 'Because', message: 'it is so', lastTransitionTime: '2026-01-02T03:04:05Z' };
      return {
        specLeft: await admin.ask('PATCH', `${path}/status?fieldManager=me`, {
          body: { spec: { versionPriority: 99 }, metadata: { labels: { a: 'b' } } },
          contentType,
        }),
        statusLeft: await admin.ask('PATCH', `${path}?fieldManager=me`, {
          body: { status: { conditions: [condition] }, spec: { versionPriority: 98 } },
          contentType,
        }),
        dry: await admin.ask('PATCH', `${path}/status?fieldManager=me&dryRun=All`, {
          body: { status: { conditions: [condition] } },
          contentType,
        }),
        noSubresource: await admin.ask('GET', `/api/v1/namespaces/${namespace}/configmaps/x/status`),
      };
    },
  },
  {
    name: 'immutable-fields',
    run: async ({ admin: { ask }, create, name }) => {
      const binding = (role: string): KubeObject => ({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name, namespace },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: role },
        subjects: [{ kind: 'ServiceAccount', name: 'default', namespace }],
      });
      const secret: KubeObject = {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name, namespace },
        type: 'Opaque',
        stringData: { a: 'b' },
      };
      const [stored] = await create(secret);
      await create(binding('one'));
      const put = (object: KubeObject) => {
        const { resource, namespace: space } = refOf(object);
        return ask('PUT', resourcePath(resource, space, name), { body: object });
      };
      return {
        secret: stored,
        ...refusals({ secretType: await put({ ...secret, type: 'example.com/other' }), roleRef: await put(binding('two')) }),
      };
    },
  },
];
