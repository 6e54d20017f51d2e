import type { KubeObject } from '../manifests/types.ts';
import { entriesOf, type ManagedFieldsEntry, managedFieldsOf } from './managed-fields.ts';

/** The field manager that owns every field that apisvc applies. */
export const fieldManager = 'apisvc';

/** One field that another manager owns with another value. */
export interface Conflict {
  /** `.spec.caBundle` */
  readonly field: string;
  /** The message of kube-apiserver: manager, API version and time. */
  readonly owner: string;
}

/**
 * A caBundle of our registration that a user edited by hand (`kubectl patch`, `edit`, `replace`) is
 * restored: that is what register is for. Values of another controller or of an applied manifest
 * stay until --force-conflicts. `kubectl apply` is "kubectl-client-side-apply", or has no "using".
 * The messages are those of k8s.io/apimachinery/pkg/util/managedfields/internal/conflict.go.
 */
export const isManualEdit = ({ field, owner }: Conflict): boolean =>
  field === '.spec.caBundle' && /^conflict with "kubectl-(patch|edit|replace)" using /.test(owner);

/** The entries of the managers that keep `setFields` from changing a field. */
export function rivalsOf(found: KubeObject, path: readonly string[]): readonly ManagedFieldsEntry[] {
  const owners = entriesOf(found, path).filter(
    (entry) =>
      entry.manager !== fieldManager && (entry.operation === 'Apply' || isApplied(found)) && !isManualEdit(conflictOver(path, entry)),
  );
  const others = clientSideAppliers(found, path).filter(({ manager }) => owners.every((owner) => owner.manager !== manager));
  return [...owners, ...others];
}

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * The managers that apply a field client-side, as Argo CD does by default. They own it only after
 * they changed it, but restore it from the manifest (k8s.io/kubectl/pkg/cmd/apply/patcher.go).
 * kubectl restores it only when a user applies the manifest again.
 */
const clientSideAppliers = (found: KubeObject, path: readonly string[]): readonly ManagedFieldsEntry[] =>
  isInManifest(found, path)
    ? entriesOf(found, ['metadata', 'annotations', lastApplied]).filter(({ manager }) => !manager.startsWith('kubectl'))
    : [];

function isInManifest({ metadata }: KubeObject, path: readonly string[]): boolean {
  try {
    let part = JSON.parse(metadata.annotations?.[lastApplied] ?? 'null');
    for (const name of path) part = part?.[name];
    return part !== undefined && part !== null;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/** A conflict over a field. */
export const conflictOver = (path: readonly string[], entry: ManagedFieldsEntry): Conflict => ({
  field: path.map((name) => `.${name}`).join(''),
  owner: conflictWith(entry),
});

/** In the words of kube-apiserver, which leaves out the time of an apply. */
const conflictWith = ({ manager, operation, apiVersion, time }: ManagedFieldsEntry): string =>
  `conflict with "${manager}"${operation === 'Update' ? ` using ${apiVersion}` : ''}${time === undefined ? '' : ` at ${time}`}`;

/** Whether apisvc applied this object before. */
export const isApplied = (object: KubeObject): boolean => ourEntry(object) !== undefined;

export const ourEntry = (object: KubeObject): ManagedFieldsEntry | undefined => managedFieldsOf(object).find(isOurEntry);

export const isOurEntry = ({ manager, operation }: ManagedFieldsEntry): boolean => manager === fieldManager && operation === 'Apply';
