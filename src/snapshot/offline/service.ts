import { nearest } from '../../config/nearest.ts';
import type { ApiServiceView } from '../types.ts';
import type { OfflineObjects } from './objects.ts';

type ServiceRef = NonNullable<ApiServiceView['service']>;

/** Where a namespace has more Services, a similar name means nothing. */
const fewServices = 100;

/**
 * The Service that is probably meant, where the files do not contain the right one: one of that
 * name in another namespace, or one of a similar name.
 */
export function nearService(objects: OfflineObjects, { namespace, name }: ServiceRef): Omit<ServiceRef, 'port'> | undefined {
  const elsewhere = objects.all('Service').find(({ metadata }) => metadata.name === name);
  if (elsewhere) return { namespace: elsewhere.metadata.namespace ?? namespace, name };
  const near = objects.inNamespace('Service', namespace).map(({ metadata }) => metadata.name);
  const similar = near.length > fewServices ? undefined : nearest(name, near);
  return similar === undefined ? undefined : { namespace, name: similar };
}
