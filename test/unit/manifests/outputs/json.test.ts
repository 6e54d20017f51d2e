import { expect, test } from 'vitest';
import { manifestsJson } from '../../../../src/manifests/outputs/json.ts';
import { renderManifests } from '../../../../src/manifests/render.ts';
import { issued, presetRegistration } from '../fixture.ts';

const manifests = renderManifests(presetRegistration('sample-apiserver'), issued, { secrets: 'include' });

test('the objects are one List', () => {
  const text = manifestsJson(manifests);
  expect(JSON.parse(text)).toEqual({ apiVersion: 'v1', kind: 'List', items: manifests.map(({ object }) => object) });
  expect(text).toMatch(/^\{\n {2}"apiVersion": "v1",\n[\s\S]*\n\}\n$/);
});
