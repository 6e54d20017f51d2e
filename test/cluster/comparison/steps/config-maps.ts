import type { KubeObject } from '../../../../src/manifests/types.ts';
import type { Difference, Step } from '../step.ts';
import { namespace, type World } from '../world.ts';

/** ConfigMaps represent all kinds without special behaviour in kube-apiserver. */

export const collection = `/api/v1/namespaces/${namespace}/configmaps`;

export const configMap = (name: string, data?: object, metadata: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, ...metadata },
  ...(data ? { data } : {}),
});

/** @param run - takes the path of a ConfigMap with the name of the step */
export const aboutConfigMap = (
  name: string,
  run: (world: World, path: string) => Promise<unknown>,
  differs: readonly Difference[] = [],
): Step => ({
  name,
  run: (world) => run(world, `${collection}/${world.name}`),
  differs,
});
