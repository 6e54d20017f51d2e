import { mergePatchTo } from '../config/merge-patch.ts';
import type { KubeObject } from '../manifests/types.ts';
import type { Cluster } from './cluster.ts';
import { fieldManager, isOurEntry, ourEntry } from './field-owners.ts';
import { withFormer } from './former.ts';
import { managedFieldsOf } from './managed-fields.ts';
import { getObject, refOf } from './objects.ts';
import { type ApplyOptions, mergePatchType, patch, type SetResult, type StoredMetadata } from './ownership.ts';
import { resourcePath } from './resources.ts';
import { readJson, readStatus, refusal } from './status.ts';

/**
 * Puts the former values of an object back that existed before apisvc applied it, and gives up its
 * fields, in one request. Fields that others changed since then stay, and so do those without a
 * record.
 * @param found the object as the cluster has it
 * @throws as `refusal`, except for an object that changed
 */
export async function restoreObject(
  cluster: Cluster,
  found: KubeObject,
  { dryRun, signal }: Omit<ApplyOptions, 'force'>,
): Promise<Exclude<SetResult, { kind: 'conflict' }>> {
  const { apiVersion, kind, metadata } = found;
  const { name, namespace, uid, resourceVersion } = metadata as StoredMetadata;
  const ref = refOf(found);
  const entries = managedFieldsOf(found).filter((entry) => !isOurEntry(entry));
  const change = mergePatchTo(found, withFormer(found, ourEntry(found)?.fieldsV1 ?? {}) ?? found) as { readonly metadata?: object };
  const identity = { name, ...(namespace === undefined ? {} : { namespace }), uid, resourceVersion };
  // An empty list would be ignored, and a list with one empty entry removes all entries
  // (k8s.io/apimachinery/pkg/util/managedfields/internal/managedfields.go).
  const managedFields = entries.length === 0 ? [{}] : entries;
  const body = { ...change, apiVersion, kind, metadata: { ...change.metadata, ...identity, managedFields } } as KubeObject;
  const answer = await patch(cluster, body, { contentType: mergePatchType, dryRun, signal });
  const isGone = answer.status === 404 && readStatus(answer).about === name;
  if (answer.status === 409 || isGone) return { kind: 'stale' };
  if (answer.status !== 200) throw refusal(cluster, { verb: 'patch', ref }, answer, new Date());
  const object = readJson<KubeObject>(cluster, answer);
  return { kind: 'applied', object: dryRun ? object : await withoutUpdate(cluster, object, signal), restored: [] };
}

/**
 * Removes the entry of the update by which we restored an object: a later apply by its owner would
 * conflict with it. A controller that updates the object meanwhile moves the entry. Then the object
 * is read again.
 */
async function withoutUpdate(cluster: Cluster, restored: KubeObject, signal: AbortSignal): Promise<KubeObject> {
  const ref = refOf(restored);
  const path = resourcePath(ref.resource, ref.namespace, ref.name);
  let object: KubeObject | undefined = restored;
  while (object) {
    const at = managedFieldsOf(object).findIndex(({ manager, operation }) => manager === fieldManager && operation === 'Update');
    if (at === -1) return object;
    const entry = `/metadata/managedFields/${at}`;
    const body = [
      { op: 'test', path: `${entry}/manager`, value: fieldManager },
      { op: 'test', path: `${entry}/operation`, value: 'Update' },
      { op: 'remove', path: entry },
    ];
    const answer = await cluster.request({ method: 'PATCH', path, contentType: 'application/json-patch+json', body, signal });
    if (answer.status === 200) return readJson<KubeObject>(cluster, answer);
    // 422 is a test of the patch that failed.
    if (answer.status !== 409 && answer.status !== 422) return object;
    object = await getObject(cluster, ref, signal);
  }
  return restored;
}
