import { stringify } from 'yaml';
import type { Manifest, ManifestFile } from '../types.ts';
import { yamlFiles } from './yaml.ts';

/**
 * One file for each object, and a kustomization.yaml that lists them. `fifo` keeps their order
 * (kustomize 5, kubectl 1.27 or newer).
 */
export function kustomizeFiles(manifests: readonly Manifest[]): ManifestFile[] {
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    sortOptions: { order: 'fifo' },
    resources: manifests.map(({ fileName }) => fileName),
  };
  return [{ path: 'kustomization.yaml', text: stringify(kustomization, { lineWidth: 0 }), private: false }, ...yamlFiles(manifests)];
}
