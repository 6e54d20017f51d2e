import { fieldManager } from '../../../../src/cluster/field-owners.ts';
import { refOf } from '../../../../src/cluster/objects.ts';
import { resourcePath } from '../../../../src/cluster/resources.ts';
import type { KubeObject } from '../../../../src/manifests/types.ts';
import type { Answer } from '../client.ts';
import type { World } from '../world.ts';

/** The path of an object. */
export const pathOf = (object: KubeObject): string => {
  const { resource, namespace, name } = refOf(object);
  return resourcePath(resource, namespace, name);
};

/** Applies as apisvc does, or as another manager. */
export const apply = (world: World, object: KubeObject, manager = fieldManager, query = ''): Promise<Answer> =>
  world.admin.ask('PATCH', `${pathOf(object)}?fieldManager=${manager}${query}`, {
    body: object,
    contentType: 'application/apply-patch+yaml',
  });
