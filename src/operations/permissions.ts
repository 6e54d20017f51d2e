import { askUserName, mayI } from '../cluster/access.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { wasRefused } from '../cluster/faults.ts';
import { getObject, refOf } from '../cluster/objects.ts';
import { applyObject } from '../cluster/ownership.ts';
import { describeRef, type ObjectRef, resourceName } from '../cluster/resources.ts';
import { type Need, verbsBy } from '../cluster/status.ts';
import { ClusterError } from '../errors.ts';
import type { KubeObject } from '../manifests/types.ts';
import { grantCommand } from './grant-command.ts';
import { missingGrants } from './grants.ts';
import { withoutChanges } from './runner.ts';

/**
 * Checks, before anything changes, whether the user may do all that an operation does. Asks with
 * SelfSubjectAccessReviews, and with a dry run for the permissions that roles grant.
 * @param needs of the steps of the operation. Optional ones are only granted with the others
 * @param objects that the operation applies
 * @param unknown a sentence for the fix, where other needs are not known yet
 * @throws ClusterError with everything that is missing, and the command that grants it
 */
export async function requireAccess(
  cluster: Cluster,
  needs: readonly Need[],
  objects: readonly KubeObject[],
  signal: AbortSignal,
  unknown?: string,
): Promise<void> {
  const asked = new Map<string, Promise<boolean>>();
  const may = ({ verb, ref }: Need): Promise<boolean> => {
    const question = `${verb} ${describeRef(ref)}`;
    const answer = asked.get(question) ?? mayI(cluster, verb, ref, signal);
    asked.set(question, answer);
    return answer;
  };
  const absent = await absentOf(cluster, objects.map(refOf), may, signal);
  const required: readonly Need[] = [...needs, ...absent.map((ref) => ({ verb: 'create', ref }))];
  const allowed = await Promise.all(required.map(may));
  const grants = await missingGrants(objects, {
    may,
    mayApply: (object) => mayApply(cluster, object, signal),
  });
  const lacking = [...required.filter((_, index) => !allowed[index]), ...grants];
  const missing = lacking.filter(({ optional }) => !optional);
  if (missing.length === 0) return;
  const user = (await askUserName(cluster, signal)) ?? cluster.user;
  const fix = [
    'A cluster administrator can grant the permissions:',
    grantCommand(user, lacking),
    ...(unknown === undefined ? [] : [unknown]),
  ].join('\n');
  throw withoutChanges(new ClusterError(`user "${user}" is not allowed to ${verbsByResource(missing)}`, { fix }));
}

/**
 * Runs work that only reads, so that it needs fewer permissions than the operation that it
 * prepares.
 * @param unknown a sentence for the fix, where other needs are not known yet
 * @throws as `requireAccess`, with everything that the operation lacks, when a request is refused;
 * whatever else the work throws
 */
export async function namingAllMissing<T>(
  cluster: Cluster,
  needs: readonly Need[],
  signal: AbortSignal,
  work: () => Promise<T>,
  unknown?: string,
): Promise<T> {
  return whenRefused(work, () => requireAccess(cluster, needs, [], signal, unknown));
}

/**
 * Runs work, and something that says more when a request is refused.
 * @throws what `explain` throws then; whatever the work throws
 */
export async function whenRefused<T>(work: () => Promise<T>, explain: () => Promise<void>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (wasRefused(error)) await explain();
    throw error;
  }
}

/** `get, patch secrets; create services`. */
const verbsByResource = (needs: readonly Need[]): string =>
  verbsBy(({ ref }) => resourceName(ref.resource), needs)
    .map(([{ ref }, verbs]) => `${verbs} ${resourceName(ref.resource)}`)
    .join('; ');

/**
 * The objects that do not exist, or that the user may not get. Server-side apply needs the verb
 * `create` for them (k8s.io/apiserver/pkg/endpoints/handlers/patch.go).
 */
async function absentOf(
  cluster: Cluster,
  refs: readonly ObjectRef[],
  may: (need: Need) => Promise<boolean>,
  signal: AbortSignal,
): Promise<readonly ObjectRef[]> {
  const present = await Promise.all(
    refs.map(async (ref) => (await may({ verb: 'get', ref })) && (await getObject(cluster, ref, signal)) !== undefined),
  );
  return refs.filter((_, index) => !present[index]);
}

/** Any other failure is reported when the object is applied. */
async function mayApply(cluster: Cluster, object: KubeObject, signal: AbortSignal): Promise<boolean> {
  try {
    await applyObject(cluster, object, { force: true, dryRun: true, signal });
    return true;
  } catch (error) {
    if (wasRefused(error)) return false;
    throw error;
  }
}
