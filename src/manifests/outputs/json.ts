import type { Manifest } from '../types.ts';

/** All manifests as one JSON List. */
export const manifestsJson = (manifests: readonly Manifest[]): string =>
  `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests.map(({ object }) => object) }, undefined, 2)}\n`;
