import { stringify } from 'yaml';
import type { Manifest } from './types.ts';

/** A file to write: its name in the output directory and its text. */
export interface ManifestFile {
  readonly path: string;
  readonly text: string;
  /** Contains a private key: mode 0600, ignored by git. */
  readonly private: boolean;
}

/** All manifests as one text: YAML documents with comments, or a JSON List. */
export function formatManifests(manifests: readonly Manifest[], format: 'yaml' | 'json'): string {
  if (format === 'yaml') return manifests.map(({ text }) => text).join('---\n');
  return `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests.map(({ object }) => object) }, undefined, 2)}\n`;
}

/** One file for each object. The alphabetical order of the names is a safe apply order. */
export const manifestFiles = (manifests: readonly Manifest[]): ManifestFile[] =>
  manifests.map(({ object, text, fileName }) => ({ path: fileName, text, private: object.kind === 'Secret' }));

/**
 * The same files and a kustomization.yaml that lists them. `fifo` keeps their order (kustomize 5,
 * kubectl 1.27 and newer).
 */
export function kustomizeFiles(manifests: readonly Manifest[]): ManifestFile[] {
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    sortOptions: { order: 'fifo' },
    resources: manifests.map(({ fileName }) => fileName),
  };
  return [{ path: 'kustomization.yaml', text: stringify(kustomization, { lineWidth: 0 }), private: false }, ...manifestFiles(manifests)];
}
