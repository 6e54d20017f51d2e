import type { Cluster } from '../../cluster/cluster.ts';
import { wasRefused } from '../../cluster/faults.ts';
import { type Conflict, fieldManager, isApplied } from '../../cluster/field-owners.ts';
import { formerAnnotation, formerlyAbsent } from '../../cluster/former.ts';
import { getObject, refOf } from '../../cluster/objects.ts';
import { type ApplyOptions, type ApplyResult, applyObject, describeConflicts, formerOf, ownedFields } from '../../cluster/ownership.ts';
import { describeRef } from '../../cluster/resources.ts';
import { type ApisvcError, RefusedError, UsageError } from '../../errors.ts';
import { withoutBookkeeping } from '../../manifests/bookkeeping.ts';
import { managedByLabel, projectAnnotation } from '../../manifests/labels.ts';
import type { KubeObject } from '../../manifests/types.ts';
import type { AppliedObject, Change, Progress } from '../progress.ts';
import { combineErrors, type Step } from '../runner.ts';
import type { Waiting } from '../wait.ts';
import { type BeforeWrite, isRotated } from '../write-lock.ts';

/** One object before and after; `after` is undefined where a dry run could not check it. */
export interface AppliedPair {
  readonly applied: AppliedObject;
  readonly wanted: KubeObject;
  readonly before: KubeObject | undefined;
  readonly after: KubeObject | undefined;
  /** Manual edits of our fields that were overwritten. */
  readonly restored: readonly Conflict[];
  /** The project that the object belonged to, if it is taken over from another one. */
  readonly takenFrom: string | undefined;
}

interface Applying {
  readonly id: string;
  readonly title: string;
  /** In the order in which they are applied. */
  readonly objects: readonly KubeObject[];
  /** Completes the objects with what the cluster has. */
  readonly complete?: () => Promise<readonly KubeObject[]>;
  /** Completes one object with what the cluster has under its name. */
  readonly completeOne?: Complete | undefined;
  readonly forceConflicts: boolean;
  /** Finds what forbids applying at all. */
  readonly guard?: () => Promise<ApisvcError | undefined>;
  /** Called just before each write of an object that a rotation writes too. It may refuse. */
  readonly beforeWrite?: BeforeWrite | undefined;
}

type Complete = (wanted: KubeObject, found: KubeObject | undefined) => KubeObject;

export interface ApplyStep extends Step {
  /** Each object before and after, of the run, or of the latest dry run before it. */
  pairs(): readonly AppliedPair[];
}

/**
 * Applies objects server-side. `observe` is a dry run of every object; the step is done when
 * nothing would change, the ownership of fields included. Objects of other projects are refused.
 */
export function applyStep(
  { cluster, signal, onProgress }: Waiting,
  { id, title, objects, complete, completeOne, forceConflicts, guard, beforeWrite }: Applying,
): ApplyStep {
  let pairs: readonly AppliedPair[] = [];
  const options: Options = { forceConflicts, signal, completeOne };
  const report = (pair: AppliedPair): void => {
    for (const notice of noticesOf(pair)) onProgress(notice);
    onProgress({ kind: 'applied', applied: pair.applied });
  };
  return {
    id,
    title,
    needs: () => objects.map(refOf).flatMap((ref) => ['get', 'patch'].map((verb) => ({ verb, ref }))),
    async observe() {
      try {
        const fault = await guard?.();
        if (fault) return { state: 'fault', error: fault };
        pairs = await dryRunAll(cluster, (await complete?.()) ?? objects, options);
        return { state: pairs.every(isUnchanged) ? 'done' : 'pending' };
      } catch (error) {
        if (isRefusal(error)) return { state: 'fault', error };
        throw error;
      }
    },
    async run() {
      const results: AppliedPair[] = [];
      for (const pair of pairs) {
        if (!isUnchanged(pair) && isRotated(pair.wanted)) await beforeWrite?.();
        const result = isUnchanged(pair) ? pair : await applyPair(cluster, pair.wanted, { ...options, dryRun: false });
        report(result);
        results.push(result);
      }
      pairs = results;
    },
    reportDone: () => pairs.forEach(report),
    pairs: () => pairs,
  };
}

/** What applying takes from others: the fields of a manual edit, or the object of a project. */
export const noticesOf = ({ applied: { object }, restored, takenFrom }: AppliedPair): readonly Progress[] => [
  ...(takenFrom === undefined ? [] : [{ kind: 'taken-over', object, from: takenFrom } as const]),
  ...(restored.length > 0 ? [{ kind: 'restored', object, conflicts: restored } as const] : []),
];

interface Options extends Pick<Applying, 'forceConflicts' | 'completeOne'> {
  readonly signal: AbortSignal;
}

const isRefusal = (error: unknown): error is ApisvcError => error instanceof RefusedError || error instanceof UsageError;

/** @throws RefusedError or UsageError that names what the server refuses of all objects */
async function dryRunAll(cluster: Cluster, objects: readonly KubeObject[], options: Options): Promise<readonly AppliedPair[]> {
  const pairs: AppliedPair[] = [];
  const refusals: ApisvcError[] = [];
  for (const wanted of objects) {
    try {
      pairs.push(await applyPair(cluster, wanted, { ...options, dryRun: true }));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refusals.push(error);
    }
  }
  if (refusals.length > 0) throw combineErrors(refusals);
  return pairs;
}

async function applyPair(cluster: Cluster, object: KubeObject, options: Options & { readonly dryRun: boolean }): Promise<AppliedPair> {
  const before = await getObject(cluster, refOf(object), options.signal);
  const takenFrom = before && otherProject(before, object);
  if (takenFrom !== undefined && !options.forceConflicts) throw ownedBy(takenFrom, object);
  const wanted = await withRecord(cluster, options.completeOne?.(object, before) ?? object, before, options);
  const { after, restored } = await applyOne(cluster, wanted, options);
  return { applied: { object: describeRef(refOf(wanted)), change: changeOf(before, after) }, wanted, before, after, restored, takenFrom };
}

/**
 * Adds the record of what the object was before apisvc applied it, which `unregister` restores. It
 * is made once, by the first apply. Objects with our label do not need it if they did not exist.
 */
async function withRecord(cluster: Cluster, wanted: KubeObject, before: KubeObject | undefined, options: Options): Promise<KubeObject> {
  const record = async (): Promise<string | undefined> => {
    if (!before) return wanted.metadata.labels?.[managedByLabel] === fieldManager ? undefined : formerlyAbsent;
    const present = before.metadata.annotations?.[formerAnnotation];
    if (present !== undefined || isApplied(before)) return present;
    const { after } = await applyOne(cluster, wanted, { ...options, dryRun: true });
    return after && formerOf(before, after);
  };
  const former = await record();
  if (former === undefined) return wanted;
  const annotations = { ...wanted.metadata.annotations, [formerAnnotation]: former };
  return { ...wanted, metadata: { ...wanted.metadata, annotations } };
}

/**
 * The other project that an object belongs to. Objects without the annotation were applied by an
 * earlier version, or belong to nobody.
 */
function otherProject(found: KubeObject, wanted: KubeObject): string | undefined {
  const project = found.metadata.annotations?.[projectAnnotation];
  return project === wanted.metadata.annotations?.[projectAnnotation] ? undefined : project;
}

const ownedBy = (project: string, wanted: KubeObject): RefusedError =>
  new RefusedError(`${describeRef(refOf(wanted))} belongs to another project: ${project}`, {
    fix: 'Choose other names in apisvc.yaml (metadata, spec.service, spec.apis), or take over the objects with --force-conflicts. The other project then no longer manages them.',
  });

/**
 * What applying changed, judged by content: a dry run does not move resourceVersion
 * (k8s.io/apiserver/pkg/registry/generic/registry/store.go).
 */
function changeOf(before: KubeObject | undefined, after: KubeObject | undefined): Change {
  if (!after) return 'unchecked';
  if (!before) return 'created';
  return contentOf(before) === contentOf(after) ? 'unchanged' : 'configured';
}

const contentOf = (object: KubeObject): string => JSON.stringify(withoutBookkeeping(object));

/** Whether applying would change neither the content nor which fields we own. */
const isUnchanged = ({ applied, before, after, restored }: AppliedPair): boolean =>
  applied.change === 'unchanged' &&
  restored.length === 0 &&
  before !== undefined &&
  after !== undefined &&
  isApplied(before) &&
  ownedFields(before) === ownedFields(after);

/** Whether applying would change what a rotation may be writing: objects that exist already. */
export const isContended = (pair: AppliedPair): boolean => pair.before !== undefined && isRotated(pair.wanted) && !isUnchanged(pair);

interface Outcome {
  readonly after: KubeObject | undefined;
  readonly restored: readonly Conflict[];
}

async function applyOne(
  cluster: Cluster,
  wanted: KubeObject,
  { dryRun, forceConflicts, signal }: Options & { readonly dryRun: boolean },
): Promise<Outcome> {
  const result = await tryToApply(cluster, wanted, { force: forceConflicts, dryRun, signal });
  if (result.kind === 'applied') return { after: result.object, restored: result.restored };
  if (result.kind === 'unchecked') return { after: undefined, restored: [] };
  const { conflicts } = result;
  throw new RefusedError(
    `conflict: other field managers own fields of ${describeRef(refOf(wanted))}\n${describeConflicts(wanted, conflicts)}`,
    {
      fix: 'Take over the fields with --force-conflicts, or stop the other field managers from setting them.',
    },
  );
}

/**
 * A dry run cannot check a binding before its role exists. The permissions that a binding needs
 * are checked before.
 */
async function tryToApply(cluster: Cluster, wanted: KubeObject, options: ApplyOptions): Promise<ApplyResult> {
  try {
    return await applyObject(cluster, wanted, options);
  } catch (error) {
    const dependent = options.dryRun && wanted.kind.endsWith('Binding');
    if (dependent && wasRefused(error)) return { kind: 'unchecked' };
    throw error;
  }
}
