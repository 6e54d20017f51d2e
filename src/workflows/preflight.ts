import { applyObject } from '../cluster/apply.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { Unreachable } from '../cluster/faults.ts';
import { getObject, refOf } from '../cluster/objects.ts';
import { apiGroup, type ObjectRef, resourceName, resourcePath, resources } from '../cluster/resources.ts';
import { rbacRule, readJson, refusal } from '../cluster/status.ts';
import { ClusterError, RefusedError } from '../errors.ts';
import type { KubeObject } from '../manifests/types.ts';
import { viewApiService } from '../verify/views.ts';
import { missingGrants, type Need } from './grants.ts';

/**
 * Asks with SelfSubjectAccessReviews, and for the rights that roles give away with a dry run, whether everything that `register` will do is allowed, and
 * names all that is missing at once.
 * @throws ClusterError with the RBAC rules that would allow it
 */
export async function requireAccess(cluster: Cluster, objects: readonly KubeObject[], signal: AbortSignal): Promise<void> {
  const needs = needsOf(objects.map(refOf));
  const allowed = await Promise.all(needs.map((need) => mayI(cluster, need, signal)));
  const grants = await missingGrants(objects, {
    may: (need) => mayI(cluster, need, signal),
    mayApply: (object) => mayApply(cluster, object, signal),
  });
  const missing = [...needs.filter((_, index) => !allowed[index]), ...grants];
  if (missing.length === 0) return;
  const what = [...new Set(missing.map(({ verb, ref }) => `${verb} ${resourceName(ref.resource)}`))].join(', ');
  const rules = [...new Set(missing.map(({ verb, ref }) => rbacRule(verb, ref)))].join('\n  ');
  throw new ClusterError(`user "${cluster.user}" is not allowed to ${what}; nothing was changed`, {
    fix: `RBAC rules that allow it:\n  ${rules}`,
  });
}

/** Server-side apply needs patch, and create for what is not there yet (k8s.io/apiserver/pkg/endpoints/handlers/patch.go); what is waited for is listed and watched. */
function needsOf(refs: readonly ObjectRef[]): Need[] {
  const applied = refs.flatMap((ref) => ['get', 'patch', 'create'].map((verb) => ({ verb, ref })));
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
    if (!(error instanceof ClusterError) || error instanceof Unreachable) throw error;
    return false;
  }
}

async function mayI(cluster: Cluster, { verb, ref }: Need, signal: AbortSignal): Promise<boolean> {
  const { resource, namespace } = ref;
  const name = verb === 'create' || ref.name === '*' ? undefined : ref.name;
  const resourceAttributes = {
    verb,
    group: apiGroup(resource),
    resource: resource.plural,
    namespace: resource.namespaced ? namespace : undefined,
    name,
  };
  const { SelfSubjectAccessReview: review } = resources;
  const answer = await cluster.request({
    method: 'POST',
    path: resourcePath(review),
    body: { apiVersion: review.apiVersion, kind: review.kind, spec: { resourceAttributes } },
    signal,
  });
  if (answer.status !== 201)
    throw refusal(cluster, { verb: 'create', ref: { resource: review, namespace: undefined, name: '' } }, answer, new Date());
  return readJson<{ status?: { allowed?: boolean } }>(cluster, answer).status?.allowed === true;
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
