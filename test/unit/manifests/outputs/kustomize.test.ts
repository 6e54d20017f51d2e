import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { kustomizeFiles } from '../../../../src/manifests/outputs/kustomize.ts';
import { yamlFiles } from '../../../../src/manifests/outputs/yaml.ts';
import { renderManifests } from '../../../../src/manifests/render.ts';
import { issued, presetRegistration } from '../fixture.ts';

const manifests = renderManifests(presetRegistration('sample-apiserver'), issued, { secrets: 'include' });

test('kustomization.yaml lists every file, in order', () => {
  const [kustomization, ...files] = kustomizeFiles(manifests);
  expect(kustomization?.path).toBe('kustomization.yaml');
  expect(parse(kustomization?.text ?? '')).toMatchObject({ kind: 'Kustomization', resources: files.map(({ path }) => path) });
  expect(files).toEqual(yamlFiles(manifests));
});
