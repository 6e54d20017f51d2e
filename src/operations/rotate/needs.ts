import type { Cluster } from '../../cluster/cluster.ts';
import { leaseNeeds } from '../../cluster/lease.ts';
import type { Need } from '../../cluster/status.ts';
import { projectFiles } from '../../project/project.ts';
import { listNeeds } from '../list-needs.ts';
import type { RotateRequest } from '../rotation/request.ts';
import { type Rotation, type RotationOptions, serviceOf, unknownSet } from '../rotation/rotation.ts';
import { type OnDisk, stepList } from './step-list.ts';

/** What the permissions depend on. */
type Needy = Pick<
  RotateRequest,
  keyof RotationOptions | 'dir' | 'registration' | 'kind' | 'abort' | 'issueNeeds' | 'signal' | 'onProgress'
>;

/**
 * The permissions of the Lease and of all steps. They do not depend on the certificates, which are
 * not known yet. Going back may be going back to another CA.
 */
export function rotationNeeds(cluster: Cluster, request: Needy): readonly Need[] {
  const { dir, abort, kind } = request;
  const rotation: Rotation = {
    ...request,
    cluster,
    kind: abort ? 'ca' : kind,
    direction: abort ? 'back' : 'forward',
    now: () => new Date(),
    renewLease: async () => {},
    from: undefined,
    to: unknownSet,
    files: projectFiles(dir),
    caFiles: [],
  };
  const steps = stepList(rotation, unused);
  const { registration, issueNeeds = [] } = request;
  return [
    ...leaseNeeds(serviceOf(request)),
    ...issueNeeds,
    ...steps.flatMap((step) => step.needs()),
    ...(cluster.as === undefined ? [] : listNeeds(registration.spec.apis.map(({ group }) => group))),
  ];
}

/** No step runs. */
const unused: OnDisk = {
  isIssued: () => false,
  write: () => {},
  promote: () => {},
  discard: () => {},
  read: () => undefined,
  remove: () => {},
};
