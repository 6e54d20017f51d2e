import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { formatManifests, kustomizeFiles, manifestFiles } from '../../../src/manifests/format.ts';
import { renderManifests } from '../../../src/manifests/render.ts';
import { issued, presetRegistration } from './fixture.ts';

const manifests = renderManifests(presetRegistration('sample-apiserver'), issued, { secrets: 'include' });
const objects = manifests.map(({ object }) => object);

describe('formatManifests', () => {
  it('writes YAML documents that read back as the objects', () => {
    const documents = parseAllDocuments(formatManifests(manifests, 'yaml'));
    expect(documents.map((document) => document.toJS())).toEqual(objects);
  });

  it('writes JSON as one List', () => {
    const text = formatManifests(manifests, 'json');
    expect(JSON.parse(text)).toEqual({ apiVersion: 'v1', kind: 'List', items: objects });
    expect(text).toMatch(/^\{\n {2}"apiVersion": "v1",\n[\s\S]*\n\}\n$/);
  });
});

describe('files', () => {
  it('marks the file with the private key, and no other', () => {
    expect(
      manifestFiles(manifests)
        .filter((file) => file.private)
        .map(({ path }) => path),
    ).toEqual(['040-secret.yaml']);
  });

  it('lists every file in kustomization.yaml, in order', () => {
    const [kustomization, ...files] = kustomizeFiles(manifests);
    expect(kustomization?.path).toBe('kustomization.yaml');
    expect(parse(kustomization?.text ?? '')).toMatchObject({ kind: 'Kustomization', resources: files.map(({ path }) => path) });
    expect(files).toEqual(manifestFiles(manifests));
  });
});
