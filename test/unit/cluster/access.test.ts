import { expect, test } from 'vitest';
import { mayI } from '../../../src/cluster/access.ts';
import { type ObjectRef, resources, subresources } from '../../../src/cluster/resources.ts';
import { answer, clusterOf, never } from './kube-api.ts';

const inWardle = { namespace: 'wardle', name: 'api' };

test.each<[string, ObjectRef, object]>([
  ['get', { resource: resources.Deployment, ...inWardle }, { group: 'apps', resource: 'deployments', namespace: 'wardle', name: 'api' }],
  ['create', { resource: resources.Secret, ...inWardle }, { group: '', resource: 'secrets', namespace: 'wardle' }],
  [
    'list',
    { resource: resources.APIService, namespace: undefined, name: '*' },
    { group: 'apiregistration.k8s.io', resource: 'apiservices' },
  ],
  [
    'get',
    { resource: subresources.podLog, ...inWardle, name: '*' },
    { group: '', resource: 'pods', subresource: 'log', namespace: 'wardle' },
  ],
])('the review for %s has the attributes %j', async (verb, ref, attributes) => {
  const asked: unknown[] = [];
  const cluster = await clusterOf(({ body }, response) => {
    asked.push(JSON.parse(body).spec);
    answer(response, 201, { status: { allowed: true } });
  });
  expect(await mayI(cluster, verb, ref, never)).toBe(true);
  expect(asked).toEqual([{ resourceAttributes: { verb, ...attributes } }]);
});
