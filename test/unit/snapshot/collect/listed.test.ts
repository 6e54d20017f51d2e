import { expect, test } from 'vitest';
import { readListing } from '../../../../src/snapshot/collect/listed.ts';

const version = (name: string, freshness: string, ...resources: string[]) => ({
  version: name,
  freshness,
  resources: resources.map((resource) => ({ resource, scope: 'Namespaced' })),
});
const listing = (...items: unknown[]): string =>
  JSON.stringify({ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', items });

test('every version of every group is found by the name of its APIService', () => {
  const body = listing(
    { metadata: { name: 'a.example.com' }, versions: [version('v1', 'Current', 'things'), { version: 'v2', freshness: 'Stale' }] },
    { metadata: { name: 'b.example.com' }, versions: [version('v1', 'Current')] },
  );
  expect([...(readListing(body) ?? [])]).toEqual([
    ['v1.a.example.com', { freshness: 'Current', resources: ['things'] }],
    ['v2.a.example.com', { freshness: 'Stale', resources: [] }],
    ['v1.b.example.com', { freshness: 'Current', resources: [] }],
  ]);
});

test.each(['', 'no JSON', '{"kind":"APIGroupList","groups":[]}', '[]', 'null'])('any other document is ignored: %s', (body) => {
  expect(readListing(body)).toBeUndefined();
});

test.each([listing(null), listing({}), listing({ versions: 7 }), '{"kind":"APIGroupDiscoveryList","items":{"a":1}}'])(
  'damage does no harm: %s',
  (body) => {
    expect([...(readListing(body)?.values() ?? [])]).toEqual([]);
  },
);
