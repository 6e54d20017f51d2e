import type { DeletionView } from '../../snapshot/types.ts';
import { type Check, observation, seen } from './check.ts';

/** Objects that exist only until their finalizers are removed. */
export const checkDeletion: Check = ({ api, snapshot }) => {
  const service = seen(snapshot.service);
  const namespace = snapshot.namespace && seen(snapshot.namespace);
  return [
    ...(api.deleting ? [observation('registration/deleting', evidenceOf(api.deleting))] : []),
    ...(namespace?.deleting
      ? [observation('service/namespace-terminating', [...evidenceOf(namespace.deleting), ...namespace.conditions])]
      : []),
    ...(service?.deleting ? [observation('service/deleting', evidenceOf(service.deleting))] : []),
  ];
};

const evidenceOf = ({ since, finalizers }: DeletionView): string[] => [
  `deletionTimestamp: ${since}`,
  ...(finalizers.length > 0 ? [`finalizers: ${finalizers.join(', ')}`] : []),
];
