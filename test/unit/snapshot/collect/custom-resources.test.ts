import { describe, expect, test } from 'vitest';
import { apiService, collect, many } from './collecting.ts';

describe('custom resources of the group', () => {
  const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const definition = (name: string) => ({
    metadata: { name },
    spec: {
      versions: [
        { name: 'v1', served: true },
        { name: 'v0', served: false },
      ],
    },
  });
  const paths = {
    [crds]: {
      metadata: {},
      items: [{ metadata: { name: 'things.g1.example.com' } }, { metadata: { name: 'things.more.g1.example.com' } }],
    },
    [`${crds}/things.g1.example.com`]: definition('things.g1.example.com'),
  };

  test('names are listed once, and only those of the group are read', async () => {
    const { apis, count } = await collect({ apiServices: many, paths }, { names: ['v1.g1.example.com', 'v1.g2.example.com'] });
    expect(apis.map(({ customResources }) => customResources)).toEqual([
      { state: 'seen', value: [{ name: 'things.g1.example.com', versions: ['v1'] }] },
      { state: 'seen', value: [] },
    ]);
    expect(count(/customresourcedefinitions/)).toBe(2);
  });

  test('a group may have none', async () => {
    const { apis } = await collect(
      { apiServices: many, paths: { [crds]: { metadata: {}, items: null } } },
      { names: ['v1.g1.example.com'] },
    );
    expect(apis[0]?.customResources).toEqual({ state: 'seen', value: [] });
  });

  test('those of a group are read once for all versions, up to a limit', async () => {
    const versions = ['v1', 'v2', 'v3'].map((version) => `${version}.g1.example.com`);
    const apiServices = versions.map((name) => ({ ...apiService(1), metadata: { name } }));
    const items = Array.from({ length: 100 }, (_, index) => ({ metadata: { name: `r${index}.g1.example.com` } }));
    const { apis, count } = await collect({ apiServices, paths: { [crds]: { metadata: {}, items } } }, { names: versions });
    expect(apis.map(({ apiService }) => apiService.state)).toEqual(['seen', 'seen', 'seen']);
    expect(count(/customresourcedefinitions\/r/)).toBe(32);
  });

  test('the cluster may not serve the kind', async () => {
    const { apis } = await collect({ apiServices: many }, { names: ['v1.g1.example.com'] });
    expect(apis[0]?.customResources).toEqual({ state: 'seen', value: [] });
  });

  test('without the permission to list, they are unseen', async () => {
    const { apis } = await collect({ apiServices: many, forbidden: /customresourcedefinitions/ }, { names: ['v1.g1.example.com'] });
    expect(apis[0]?.customResources).toMatchObject({ state: 'unseen', reason: 'forbidden' });
  });
});
