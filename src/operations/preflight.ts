import { mayI } from '../cluster/access.ts';
import { applyObject } from '../cluster/apply.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { wasRefused } from '../cluster/faults.ts';
import { getObject, refOf } from '../cluster/objects.ts';
import { describeRef, type ObjectRef, resourceName, resources } from '../cluster/resources.ts';
import { type Need, rbacRules, verbsBy } from '../cluster/status.ts';
import { ClusterError, RefusedError } from '../errors.ts';
import type { KubeObject } from '../manifests/types.ts';
import { viewApiService } from '../snapshot/views.ts';
import { missingGrants } from './grants.ts';

/**
 * Asks with SelfSubjectAccessReviews, and for the rights that roles give away with a dry run, whether everything that `register` will do is allowed, and
 * names all that is missing at once.
 * @throws ClusterError with the RBAC rules that would allow it
 */
export async function requireAccess(cluster: Cluster, objects: readonly KubeObject[], signal: AbortSignal): Promise<void> {
  const asked = new Map<string, Promise<boolean>>();
  const may = ({ verb, ref }: Need): Promise<boolean> => {
    const question = `${verb} ${describeRef(ref)}`;
    const answer = asked.get(question) ?? mayI(cluster, verb, ref, signal);
    asked.set(question, answer);
    return answer;
  };
  const absent = await absentOf(cluster, objects.map(refOf), may, signal);
  const needs = [...needsOf(objects.map(refOf)), ...absent.map((ref) => ({ verb: 'create', ref }))];
  const allowed = await Promise.all(needs.map(may));
  const grants = await missingGrants(objects, {
    may,
    mayApply: (object) => mayApply(cluster, object, signal),
  });
  const missing = [...needs.filter((_, index) => !allowed[index]), ...grants];
  if (missing.length === 0) return;
  throw new ClusterError(`user "${cluster.user}" is not allowed to ${verbsByResource(missing)}; nothing was changed`, {
    fix: `RBAC rules that allow it:\n  ${rbacRules(missing).join('\n  ')}`,
  });
}

/** `get, patch secrets; create services`. */
const verbsByResource = (needs: readonly Need[]): string =>
  verbsBy(({ ref }) => resourceName(ref.resource), needs)
    .map(([resource, verbs]) => `${verbs} ${resource}`)
    .join('; ');

/** What is not there yet, or may not be looked at, has to be created: server-side apply needs the verb for that (k8s.io/apiserver/pkg/endpoints/handlers/patch.go). */
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

/** Server-side apply needs patch; what is waited for is listed and watched. */
function needsOf(refs: readonly ObjectRef[]): Need[] {
  const applied = refs.flatMap((ref) => ['get', 'patch'].map((verb) => ({ verb, ref })));
  const waitedFor = refs.filter(({ resource }) => resource === resources.APIService || resource === resources.Deployment);
  const services = refs.filter(({ resource }) => resource === resources.Service);
  const slices = services.map(({ namespace }) => ({ resource: resources.EndpointSlice, namespace, name: '*' }));
  return [...applied, ...[...waitedFor, ...slices].flatMap((ref) => ['list', 'watch'].map((verb) => ({ verb, ref })))];
}

/** A refusal is the answer here; whatever else goes wrong is said when the object is applied. */
async function mayApply(cluster: Cluster, object: KubeObject, signal: AbortSignal): Promise<boolean> {
  try {
    await applyObject(cluster, object, { force: true, dryRun: true, signal });
    return true;
  } catch (error) {
    if (wasRefused(error)) return false;
    throw error;
  }
}

/** The label by which kube-apiserver's own controllers know the APIServices that they overwrite and delete (kube-aggregator pkg/controllers/autoregister). */
const automanaged = 'kube-aggregator.kubernetes.io/automanaged';

/**
 * The takeover guard: an APIService that belongs to someone else is left alone.
 * @throws RefusedError when one is Local, automanaged, or points at another Service
 */
export async function refuseTakeover(cluster: Cluster, apiServices: readonly KubeObject[], signal: AbortSignal): Promise<void> {
  for (const wanted of apiServices) {
    const found = await getObject(cluster, refOf(wanted), signal);
    if (!found) continue;
    const { name, service, labels } = viewApiService(found);
    const { service: target } = viewApiService(wanted);
    if (labels[automanaged] !== undefined) {
      throw new RefusedError(`APIService ${name} carries the label ${automanaged}: kube-apiserver manages it and would overwrite ours`, {
        fix: `If it was copied there by mistake: kubectl label apiservice ${name} ${automanaged}-`,
      });
    }
    if (!service) {
      throw new RefusedError(
        `APIService ${name} is Local: kube-apiserver serves this group itself, from a CustomResourceDefinition or built in`,
        {
          fix: 'Choose another group or version, or remove the CustomResourceDefinition.',
        },
      );
    }
    if (service.namespace !== target?.namespace || service.name !== target?.name) {
      throw new RefusedError(
        `APIService ${name} points at Service ${service.namespace}/${service.name}; registering would take it away from there`,
        {
          fix: `If that is what you want, delete it first: kubectl delete apiservice ${name}`,
        },
      );
    }
  }
}
