import { type ApplyOptions, type ApplyResult, applyObject, type Conflict, describeConflicts, fieldManager } from '../cluster/apply.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { wasRefused } from '../cluster/faults.ts';
import { getObject, refOf } from '../cluster/objects.ts';
import { describeRef } from '../cluster/resources.ts';
import { type ApisvcError, RefusedError, UsageError } from '../errors.ts';
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
 * @throws RefusedError with every conflicting field and its owner, UsageError for an object that the server rejects: at the first one, or in a dry
 * run for all of them together
 */
export async function applyAll(cluster: Cluster, objects: readonly KubeObject[], options: ApplyAllOptions): Promise<AppliedPair[]> {
  const pairs: AppliedPair[] = [];
  const refusals: ApisvcError[] = [];
  for (const wanted of objects) {
    try {
      const before = await getObject(cluster, refOf(wanted), options.signal);
      const after = await applyOne(cluster, wanted, before, options);
      const applied = { object: describeRef(refOf(wanted)), change: changeOf(before, after) };
      options.onProgress({ kind: 'applied', applied });
      pairs.push({ applied, wanted, before, after });
    } catch (error) {
      if (!options.dryRun || !(error instanceof RefusedError || error instanceof UsageError)) throw error;
      refusals.push(error);
    }
  }
  if (refusals.length > 0) throw together(refusals);
  return pairs;
}

/** What a dry run found, as one error. A rejected object weighs more than a conflict: no flag helps against it. */
function together(refusals: readonly ApisvcError[]): ApisvcError {
  const message = `${refusals.map((refusal) => refusal.message).join('\n')}\nnothing was changed`;
  const fix = [...new Set(refusals.flatMap((refusal) => refusal.fix ?? []))].join(' ');
  const details = fix === '' ? {} : { fix };
  return refusals.some((refusal) => refusal instanceof UsageError) ? new UsageError(message, details) : new RefusedError(message, details);
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
): Promise<KubeObject | undefined> {
  const { dryRun, forceConflicts, signal, onProgress } = options;
  const result = await tryToApply(cluster, wanted, { force: forceConflicts, dryRun, signal });
  if (result.kind === 'applied') return result.object;
  if (result.kind === 'unchecked') return undefined;
  const { conflicts } = result;
  if (before && isOurs(before) && conflicts.every(isHandEdit)) {
    onProgress({ kind: 'took-back', object: describeRef(refOf(wanted)), conflicts });
    const forced = await applyObject(cluster, wanted, { force: true, dryRun, signal });
    if (forced.kind === 'applied') return forced.object;
  }
  throw new RefusedError(`other managers have set fields of ${describeRef(refOf(wanted))}\n${describeConflicts(wanted, conflicts)}`, {
    fix: 'Settle who owns them, or take them over with --force-conflicts.',
  });
}

/** A binding can't be rehearsed before the role that it names is there; what it needs was asked for in the preflight. */
async function tryToApply(cluster: Cluster, wanted: KubeObject, options: ApplyOptions): Promise<ApplyResult> {
  try {
    return await applyObject(cluster, wanted, options);
  } catch (error) {
    const dependent = options.dryRun && wanted.kind.endsWith('Binding');
    if (dependent && wasRefused(error)) return { kind: 'unchecked' };
    throw error;
  }
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
 * A caBundle that somebody typed over in a registration of ours (`kubectl patch`, `edit`, `replace`) is put right again: that is what register is for. What
 * another controller or an applied manifest says (`kubectl apply` is "kubectl-client-side-apply", or has no "using") is somebody's declared will, and stays
 * until --force-conflicts. The words are those of k8s.io/apimachinery/pkg/util/managedfields/internal/conflict.go.
 */
const isHandEdit = ({ field, owner }: Conflict): boolean =>
  field === '.spec.caBundle' && /^conflict with "kubectl-(patch|edit|replace)" using /.test(owner);
