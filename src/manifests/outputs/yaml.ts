import type { Manifest, ManifestFile } from '../types.ts';

/** All manifests as one text: YAML documents with comments. */
export const manifestsYaml = (manifests: readonly Manifest[]): string => manifests.map(({ text }) => text).join('---\n');

/** One file for each object. The alphabetical order of the names is a safe apply order. */
export const yamlFiles = (manifests: readonly Manifest[]): ManifestFile[] =>
  manifests.map(({ object, text, fileName }) => ({ path: fileName, text, private: object.kind === 'Secret' }));
