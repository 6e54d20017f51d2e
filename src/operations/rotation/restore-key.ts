import { getObject } from '../../cluster/objects.ts';
import { secretEntry } from '../../manifests/secret.ts';
import { readPrivateKey, toPrivateKey } from '../../pki/keys.ts';
import { saveFile } from '../../project/files.ts';
import { projectFiles } from '../../project/project.ts';
import { isKeyOf } from '../certificate-in-cluster.ts';
import type { OnProgress } from '../progress.ts';
import { hasSecret, secretRef } from './live.ts';
import type { CertificateSet, Rotation } from './rotation.ts';

interface Project {
  readonly dir: string;
  readonly dryRun: boolean;
  readonly onProgress: OnProgress;
}

/**
 * Restores a lost certs/tls.key from the Secret, if its key belongs to certs/tls.crt. The way back
 * from a rotation needs it.
 * @returns the set, with the key where it was found
 */
export async function restoreKey(
  where: Pick<Rotation, 'cluster' | 'registration' | 'signal'>,
  current: CertificateSet,
  { dir, dryRun, onProgress }: Project,
): Promise<CertificateSet> {
  const [leaf] = current.presented;
  if (!hasSecret(where) || !leaf) return current;
  const ref = secretRef(where);
  const secret = await getObject(where.cluster, ref, where.signal);
  const text = secret ? secretEntry(secret, 'tls.key') : '';
  const { key } = readPrivateKey(text);
  if (!key || !isKeyOf(leaf, text)) return current;
  const restored = { ...current, key: toPrivateKey(key) };
  if (dryRun) return restored;
  saveFile({ path: projectFiles(dir).key, text: restored.key.reveal(), mode: 0o600 });
  onProgress({ kind: 'note', what: `${projectFiles(dir).key} not found; restored it from Secret ${ref.namespace}/${ref.name}` });
  return restored;
}
