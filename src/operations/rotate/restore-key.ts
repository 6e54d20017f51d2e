import { getObject } from '../../cluster/objects.ts';
import { moveAside } from '../../config/project-commands.ts';
import { UsageError } from '../../errors.ts';
import { secretEntry } from '../../manifests/secret.ts';
import { readPrivateKey, toPrivateKey } from '../../pki/keys.ts';
import type { PrivateKey } from '../../pki/private-key.ts';
import { keyOf, projectFaultTexts, unreadableFix, whyUnreadable } from '../../project/certificates.ts';
import { saveFile } from '../../project/files.ts';
import { projectFiles } from '../../project/project.ts';
import { isKeyOf } from '../certificate-in-cluster.ts';
import { hasSecret, secretRef } from '../rotation/live.ts';
import type { RotateRequest } from '../rotation/request.ts';
import type { CertificateSet, Rotation } from '../rotation/rotation.ts';

type Where = Pick<Rotation, 'cluster' | 'registration' | 'signal'>;
type InProject = Where & Pick<RotateRequest, 'dir' | 'dryRun' | 'onProgress'>;

/**
 * The set in certs/ with its key. Only a file that is missing is restored from the Secret, if the
 * key there belongs to certs/tls.crt. A file that cannot be used stays; the way back then needs the
 * key of the Secret.
 * @param quiet whether no note says that the file was restored
 * @returns the set, without the key where nothing has it
 */
export async function withKey(where: InProject, current: CertificateSet, quiet = false): Promise<CertificateSet> {
  const { dir, dryRun, onProgress } = where;
  const [leaf] = current.presented;
  if (current.key || !leaf) return current;
  const { key: onDisk, fault } = keyOf(dir, leaf);
  const key = onDisk ?? (await keyInSecret(where, current));
  if (!key) return current;
  const { namespace, name } = secretRef(where);
  if (fault && fault.code !== 'file-not-found') {
    const [text] = projectFaultTexts(dir, [fault]);
    onProgress({ kind: 'note', what: `${text}; leaving the file unchanged, and using the key in Secret ${namespace}/${name}` });
  } else if (fault && !dryRun) {
    const path = projectFiles(dir).key;
    saveFile({ path, text: key.reveal(), mode: 0o600 });
    if (!quiet) onProgress({ kind: 'note', what: `${path} not found; restored it from Secret ${namespace}/${name}` });
  }
  return { ...current, key };
}

/** The key in the Secret; undefined where it does not belong to the certificate. */
export async function keyInSecret(where: Where, { presented: [leaf] }: CertificateSet): Promise<PrivateKey | undefined> {
  if (!hasSecret(where) || !leaf) return undefined;
  const secret = await getObject(where.cluster, secretRef(where), where.signal);
  const text = secret ? secretEntry(secret, 'tls.key') : '';
  const { key } = readPrivateKey(text);
  return key && isKeyOf(leaf, text) ? toPrivateKey(key) : undefined;
}

/**
 * Refuses to replace a certs/tls.key that exists but cannot be used: the end of a rotation deletes
 * the file, which may be the only copy of a key.
 * @throws UsageError with what is wrong with the file
 */
export function requireUsableKey(dir: string, { key, presented: [leaf] }: CertificateSet): void {
  const fault = key || !leaf ? undefined : keyOf(dir, leaf).fault;
  if (!fault || fault.code === 'file-not-found') return;
  throw new UsageError(`${projectFaultTexts(dir, [fault])[0]}; a rotation would delete the file\nnothing was changed`, {
    fix: unreadableFix([fault]) ?? restoreOrMove(projectFiles(dir).key, 'to use the key in the Secret'),
  });
}

/**
 * Refuses a certs/ca.crt that exists but has no certificate: without the CA, nothing tells which
 * certificates it signed, and a rotation would delete the file.
 * @throws UsageError with what is wrong with the file
 */
export function requireUsableAuthority(dir: string): void {
  const why = whyUnreadable(dir, 'caCertificate', 'current');
  if (why === undefined) return;
  const path = projectFiles(dir).caCertificate;
  throw new UsageError(`${path}: ${why}\nnothing was changed`, { fix: restoreOrMove(path, 'to restore it from the caBundle') });
}

/** The way out for a damaged file that the cluster has too. */
export const restoreOrMove = (path: string, then: string): string =>
  `Restore the file.\nOr move the file aside: ${moveAside(path)}\nThen run the same command again ${then}.`;
