import type { Cluster } from '../../cluster/cluster.ts';
import { describeRef } from '../../cluster/resources.ts';
import { nearest } from '../../config/nearest.ts';
import { apiServiceNames, groupVersionOf } from '../../config/registration.ts';
import type { Registration } from '../../config/schema.ts';
import { RefusedError } from '../../errors.ts';
import { didYouMean, similarNames } from '../../snapshot/similar-names.ts';
import { viewApiService } from '../../snapshot/views.ts';
import { requireAccess } from '../permissions.ts';
import { withoutChanges } from '../runner.ts';
import type { Target } from '../steps/target.ts';
import type { Found } from './find.ts';

/** @param known the names of all APIServices */
export const apiServiceNotFound = (name: string, known: readonly string[]): RefusedError =>
  notFound(`APIService "${name}"`, similarNames(name, known));

/**
 * The error for a project that has no objects.
 * @param found what was found instead
 * @throws ClusterError when the user may not list all kinds, so that the project may have objects
 */
export async function projectNotFound(cluster: Cluster, project: string, found: Found, signal: AbortSignal): Promise<RefusedError> {
  const needs = found.unlisted.map(({ resource, namespace }) => ({ verb: 'list', ref: { resource, namespace, name: '*' } }));
  await requireAccess(cluster, needs, [], signal);
  const similar = nearest(project, found.projects);
  return notFound(`project "${project}"`, similar === undefined ? [] : [similar]);
}

const notFound = (what: string, similar: readonly string[]): RefusedError =>
  new RefusedError(`${what} not found`, {
    fix: [...didYouMean(similar), 'To find what an earlier registration left behind: apisvc unregister --leftovers'].join('\n'),
  });

/**
 * Refuses a project that has nothing in the cluster, where another project has its objects.
 * @throws RefusedError with the owner of each object
 */
export function refuseOtherProjects(targets: readonly Target[]): void {
  const others = targets.flatMap(({ ref, otherProject }) => (otherProject === undefined ? [] : [{ ref, otherProject }]));
  if (others.length === 0 || targets.some(({ action }) => action !== 'leave')) return;
  const lines = others.map(({ ref, otherProject }) => `${describeRef(ref)} belongs to another project: ${otherProject}`);
  const owners = [...new Set(others.map(({ otherProject }) => otherProject))];
  throw withoutChanges(
    new RefusedError(lines.join('\n'), {
      fix: `To unregister the other project, set its directory with -C, or name it:\n${owners.map((owner) => `apisvc unregister ${owner}`).join('\n')}`,
    }),
  );
}

/**
 * Refuses a project in the cluster that may only have the same name: its APIServices are all in API
 * groups that apisvc.yaml does not list. After a change of the version, it is still the same
 * project. An APIService that an interrupted run is deleting says nothing.
 * @throws RefusedError with the APIServices of both
 */
export function refuseSameName(project: string, registration: Registration, targets: readonly Target[]): void {
  const own = targets.filter(({ ref, action }) => ref.resource.kind === 'APIService' && action !== 'leave');
  const staying = own.filter(({ found }) => !viewApiService(found).deleting).map(({ ref }) => ref.name);
  const groups = new Set(registration.spec.apis.map(({ group }) => group));
  if (staying.length === 0 || staying.some((name) => groups.has(groupVersionOf(name).group))) return;
  const message = `in the cluster, the APIServices of project ${project} are ${staying.join(', ')}; apisvc.yaml lists ${apiServiceNames(registration).join(', ')}`;
  throw withoutChanges(
    new RefusedError(message, {
      fix: [
        'If these belong to another project with the same name, change metadata.name or metadata.namespace in apisvc.yaml.',
        `Otherwise, to unregister them, name the project: apisvc unregister ${project}`,
      ].join('\n'),
    }),
  );
}
