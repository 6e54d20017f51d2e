import { notSimulated } from '../../../../src/sandbox/shared/failure.ts';
import { type Client, inShort } from '../client.ts';
import type { Step } from '../step.ts';
import { aboutConfigMap, collection, configMap } from './config-maps.ts';

/** Patches other than server-side apply. */

/** The answers to these patches, sent in order. */
async function patches({ ask }: Client, path: string, contentType: string, bodies: Readonly<Record<string, unknown>>): Promise<object> {
  const answers: Record<string, unknown> = {};
  for (const [name, body] of Object.entries(bodies))
    answers[name] = await ask('PATCH', `${path}?fieldManager=patcher`, { body, contentType });
  return answers;
}

const strategic = 'it would have to know how each list of each kind is merged; clients of today use server-side apply';
const keepsToRfc = 'kube-apiserver adds what is to be replaced and is not there; the simulation keeps to RFC 6902 4.3';
const untyped = 'the simulation knows the types of what APIServices and metadata hold, and of little else';

export const patching: readonly Step[] = [
  aboutConfigMap('merge-patch', async ({ admin, create, name }, path) => {
    await create(configMap(name, { a: '1', b: '1' }));
    return patches(admin, path, 'application/merge-patch+json', {
      change: { data: { a: '2', b: null, c: '3' }, metadata: { annotations: { x: 'y' } } },
      nothing: {},
      otherName: { metadata: { name: 'other' } },
      stale: { metadata: { resourceVersion: '1' } },
    });
  }),
  aboutConfigMap('json-patch', async ({ admin, create, name }, path) => {
    await create(configMap(name, { a: '1', b: '1' }));
    const patched = await patches(admin, path, 'application/json-patch+json', {
      change: [
        { op: 'test', path: '/data/a', value: '1' },
        { op: 'replace', path: '/data/a', value: '2' },
        { op: 'remove', path: '/data/b' },
        { op: 'add', path: '/metadata/labels', value: { x: 'y' } },
      ],
      empty: [],
      testFails: [{ op: 'test', path: '/data/a', value: '7' }],
      removeMissing: [{ op: 'remove', path: '/data/missing' }],
      addBelowMissing: [{ op: 'add', path: '/missing/below', value: '1' }],
      unknownOperation: [{ op: 'increase', path: '/data/a' }],
    });
    const missing = await patches(admin, `${path}-missing`, 'application/json-patch+json', { missing: [] });
    return { ...patched, ...missing };
  }),
  aboutConfigMap(
    'strategic-patch',
    async ({ admin: { ask }, create, name }, path) => {
      await create(configMap(name, { a: '1' }));
      return inShort(await ask('PATCH', path, { body: { data: { b: '2' } }, contentType: 'application/strategic-merge-patch+json' }));
    },
    [
      {
        reason: strategic,
        at: 'status',
        real: 200,
        simulated: 501,
      },
      {
        reason: strategic,
        at: 'message',
        real: undefined,
        simulated: notSimulated('Strategic merge patches (kubectl apply --server-side and kubectl patch --type=merge work)').message,
      },
    ],
  ),
  aboutConfigMap(
    'json-patch-of-missing',
    async ({ admin, create, name }, path) => {
      await create(configMap(name, { a: '1' }));
      const body = [{ op: 'replace', path: '/data/missing', value: '1' }];
      return inShort(await admin.ask('PATCH', path, { body, contentType: 'application/json-patch+json' }));
    },
    [
      {
        reason: keepsToRfc,
        at: 'status',
        real: 200,
        simulated: 422,
      },
      { reason: keepsToRfc, at: 'message', real: undefined, simulated: 'the server rejected our request due to an error in our request' },
    ],
  ),
  aboutConfigMap(
    'wrong-types',
    async ({ admin: { ask }, create, name }, path) => {
      await create(configMap(name, { a: '1' }));
      const patch = async (kind: string, body: unknown, at = path) =>
        (await ask('PATCH', `${at}?dryRun=All&fieldManager=me`, { body, contentType: `application/${kind}` })).status;
      return {
        create: (await ask('POST', `${collection}?dryRun=All`, { body: configMap(`${name}-new`, { a: 1 }) })).status,
        merge: await patch('merge-patch+json', { data: { a: 1 } }),
        json: await patch('json-patch+json', [{ op: 'replace', path: '/data/a', value: 7 }]),
        apply: await patch('apply-patch+yaml', { ...configMap(`${name}-new`), data: 'text' }, `${path}-new`),
      };
    },
    [
      { reason: untyped, at: 'create', real: 400, simulated: 201 },
      { reason: untyped, at: 'merge', real: 422, simulated: 200 },
      { reason: untyped, at: 'json', real: 422, simulated: 200 },
      { reason: untyped, at: 'apply', real: 500, simulated: 201 },
    ],
  ),
];
