import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { manifestsYaml, yamlFiles } from '../../../../src/manifests/outputs/yaml.ts';
import { renderManifests } from '../../../../src/manifests/render.ts';
import { issued, presetRegistration } from '../fixture.ts';

const manifests = renderManifests(presetRegistration('sample-apiserver'), issued, { secrets: 'include' });

test('the documents read back as the objects', () => {
  const documents = parseAllDocuments(manifestsYaml(manifests));
  expect(documents.map((document) => document.toJS())).toEqual(manifests.map(({ object }) => object));
});

test('the file with the private key is marked, and no other', () => {
  expect(
    yamlFiles(manifests)
      .filter((file) => file.private)
      .map(({ path }) => path),
  ).toEqual(['040-secret.yaml']);
});
