import { deleteObject } from '../../cluster/deletion.ts';
import { getObject } from '../../cluster/objects.ts';
import { applyObject, ownershipOf, setFields } from '../../cluster/ownership.ts';
import { describeRef, namespacedName, type ObjectRef, resources } from '../../cluster/resources.ts';
import { changedPaths } from '../../config/merge-patch.ts';
import type { Registration } from '../../config/schema.ts';
import { RefusedError } from '../../errors.ts';
import { certificateName } from '../../manifests/cert-manager.ts';
import { certManagerAnnotations } from '../../manifests/cert-manager-annotations.ts';
import { objectLabels, projectAnnotation, projectOf } from '../../manifests/labels.ts';
import { base64, secretEntry } from '../../manifests/secret.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { inspect } from '../../pki/inspect.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { foreignFault } from '../ca-secret.ts';
import { bundleText } from '../rotation/bundles.ts';
import type { Where, Writing } from './renew-step.ts';

/**
 * The Secret that has both CAs while both have to be trusted. The cainjector copies its `ca.crt`.
 */
export const bothRef = (registration: Registration): ObjectRef => ({
  resource: resources.Secret,
  namespace: registration.metadata.namespace,
  name: `${certificateName(registration)}-both-cas`,
});

/** Deleted by `unregister` too. */
const bothManifest = (registration: Registration, anchors: readonly CertificateInfo[]): KubeObject => {
  const { namespace, name } = bothRef(registration);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: objectLabels(registration),
      annotations: { [certManagerAnnotations.allowInjection]: 'true', [projectAnnotation]: projectOf(registration) },
    },
    data: { 'ca.crt': base64(bundleText(anchors)) },
  };
};

/** The Secret as it is, and whose it is. */
export interface BothCas {
  /** Undefined where there is none, or one of others. */
  readonly own: KubeObject | undefined;
  /** The CAs in it. */
  readonly anchors: readonly CertificateInfo[];
  /** Why it must not be written: others made a Secret with its name. */
  readonly fault: RefusedError | undefined;
}

export async function readBoth({ cluster, signal, registration }: Omit<Where, 'onProgress'>): Promise<BothCas> {
  const ref = bothRef(registration);
  const found = await getObject(cluster, ref, signal);
  const fix = `If nothing uses it, delete it: kubectl -n ${ref.namespace} delete secret ${ref.name}`;
  const fault =
    foreignFault(found, ref, registration, fix) ?? (found && ownershipOf(found) !== 'created' ? notCreated(ref, fix) : undefined);
  if (!found || fault) return { own: undefined, anchors: [], fault };
  return { own: found, anchors: inspect(secretEntry(found, 'ca.crt')).certificates, fault };
}

const notCreated = (ref: ObjectRef, fix: string): RefusedError =>
  new RefusedError(`Secret ${namespacedName(ref)} already exists, but was not created by apisvc`, { fix });

/**
 * Writes the CAs into the Secret, as the holder of the Lease.
 * @param found the Secret as it was read; undefined where it does not exist
 * @param isFresh as for `changeFields`
 * @returns false where another writer was faster, or what the CAs depend on is too old
 */
export async function writeBoth(
  { cluster, signal, registration, onProgress, renewLease }: Writing,
  found: KubeObject | undefined,
  anchors: readonly CertificateInfo[],
  isFresh: () => boolean,
): Promise<boolean> {
  const manifest = bothManifest(registration, anchors);
  const change = { metadata: { annotations: manifest.metadata.annotations }, data: manifest.data };
  if (found && changedPaths(found, change).length === 0) return true;
  await renewLease();
  if (!isFresh()) return false;
  const options = { dryRun: false, signal };
  // Another process may have created it meanwhile: its CAs must stay.
  if (!found && (await getObject(cluster, bothRef(registration), signal))) return false;
  const result = found
    ? await setFields(cluster, found, change, { ...options, force: true })
    : await applyObject(cluster, manifest, { ...options, force: false });
  if (result.kind !== 'applied') return false;
  onProgress({ kind: 'applied', applied: { object: describeRef(bothRef(registration)), change: found ? 'configured' : 'created' } });
  return true;
}

/**
 * Deletes the Secret, as the holder of the Lease. One of others stays.
 * @returns false where another writer was faster, or what the deletion depends on is too old
 */
export async function removeBoth(where: Writing, isFresh: () => boolean): Promise<boolean> {
  const { own } = await readBoth(where);
  if (!own) return true;
  await where.renewLease();
  return isFresh() && (await deleteObject(where.cluster, own, { dryRun: false, signal: where.signal })) !== 'stale';
}
