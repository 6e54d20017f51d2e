import { type ApplyResult, applyObject, type Conflict, describeConflicts, fieldManager } from '../cluster/apply.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { getObject, refOf } from '../cluster/objects.ts';
import { describeRef } from '../cluster/resources.ts';
import { RefusedError } from '../errors.ts';
import { withoutBookkeeping } from '../manifests/bookkeeping.ts';
import type { KubeObject } from '../manifests/types.ts';
import type { AppliedObject, Change, OnProgress } from './events.ts';

export interface ApplyAllOptions {
  readonly dryRun: boolean;
  readonly forceConflicts: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/** One object before and after; `after` is undefined where a dry run could not ask. */
export interface AppliedPair {
  readonly applied: AppliedObject;
  readonly wanted: KubeObject;
  readonly before: KubeObject | undefined;
  readonly after: KubeObject | undefined;
}

/**
 * Applies objects one after the other, in the order given.
 * @throws RefusedError with every conflicting field and its owner, at the first object that has one
 */
export async function applyAll(cluster: Cluster, objects: readonly KubeObject[], options: ApplyAllOptions): Promise<AppliedPair[]> {
  const pairs: AppliedPair[] = [];
  for (const wanted of objects) {
    const before = await getObject(cluster, refOf(wanted), options.signal);
    const result = await applyOne(cluster, wanted, before, options);
    const after = result.kind === 'applied' ? result.object : undefined;
    const applied = { object: describeRef(refOf(wanted)), change: changeOf(before, after) };
    options.onProgress({ kind: 'applied', applied });
    pairs.push({ applied, wanted, before, after });
  }
  return pairs;
}

/** The server leaves resourceVersion alone when nothing changed (k8s.io/apiserver/pkg/registry/generic/registry/store.go). In a dry run it is not moved at all. */
function changeOf(before: KubeObject | undefined, after: KubeObject | undefined): Change {
  if (!after) return 'unchecked';
  if (!before) return 'created';
  return contentOf(before) === contentOf(after) ? 'unchanged' : 'configured';
}

const contentOf = (object: KubeObject): string => JSON.stringify(withoutBookkeeping(object));

async function applyOne(
  cluster: Cluster,
  wanted: KubeObject,
  before: KubeObject | undefined,
  options: ApplyAllOptions,
): Promise<Exclude<ApplyResult, { kind: 'conflict' }>> {
  const { dryRun, forceConflicts, signal, onProgress } = options;
  const result = await applyObject(cluster, wanted, { force: forceConflicts, dryRun, signal });
  if (result.kind !== 'conflict') return result;
  const { conflicts } = result;
  if (before && isOurs(before) && conflicts.every(isHandEdit)) {
    onProgress({ kind: 'took-back', object: describeRef(refOf(wanted)), conflicts });
    const forced = await applyObject(cluster, wanted, { force: true, dryRun, signal });
    if (forced.kind !== 'conflict') return forced;
  }
  throw new RefusedError(`other managers have set fields of ${describeRef(refOf(wanted))}\n${describeConflicts(wanted, conflicts)}`, {
    fix: 'Settle who owns them, or take them over with --force-conflicts.',
  });
}

interface ManagedFields {
  readonly manager: string;
  readonly operation: string;
}

/** Whether this object was applied by apisvc before. */
function isOurs({ metadata }: KubeObject): boolean {
  const { managedFields = [] } = metadata as { managedFields?: readonly ManagedFields[] };
  return managedFields.some(({ manager, operation }) => manager === fieldManager && operation === 'Apply');
}

/**
 * A caBundle that somebody typed over in a registration of ours (`kubectl patch`, `kubectl edit`) is put right again: that is what register is for. What
 * another controller or an applied manifest says is somebody's declared will, and stays until --force-conflicts.
 * The words are those of k8s.io/apimachinery/pkg/util/managedfields/internal/conflict.go, where only updates have a "using".
 */
const isHandEdit = ({ field, owner }: Conflict): boolean =>
  field === '.spec.caBundle' && /^conflict with "kubectl-[a-z-]+" using /.test(owner);
