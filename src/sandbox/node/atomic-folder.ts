import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Contents by path in the folder. */
export type Files = ReadonlyMap<string, Buffer>;

/**
 * Replaces all files of a folder atomically: each is a link into a folder behind the link `..data`,
 * which is swapped (k8s.io/kubernetes/pkg/volume/util/atomic_writer.go). Servers watch for that.
 */
export async function writeFolder(folder: string, files: Files): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const link = join(folder, '..data');
  const before = await readlink(link).catch(() => undefined);
  const next = `..${randomBytes(6).toString('hex')}`;
  await mkdir(join(folder, next), { mode: 0o700 });
  for (const [path, content] of files) {
    requireInside(path);
    await mkdir(dirname(join(folder, next, path)), { recursive: true, mode: 0o700 });
    await writeFile(join(folder, next, path), content, { mode: 0o600 });
  }
  await symlink(next, `${link}.new`);
  await rename(`${link}.new`, link);
  const tops = new Set([...files.keys()].map((path) => path.split('/')[0] ?? path));
  for (const top of tops) await symlink(join('..data', top), join(folder, top)).catch(ignoreExisting);
  for (const name of await readdir(folder)) if (!name.startsWith('..') && !tops.has(name)) await rm(join(folder, name));
  if (before !== undefined) await rm(join(folder, before), { recursive: true, force: true });
}

/**
 * kube-apiserver rejects such paths (k8s.io/kubernetes/pkg/apis/core/validation,
 * ValidateLocalNonReservedPath); the simulation does not validate them.
 * @throws Error
 */
export function requireInside(path: string): void {
  if (path.startsWith('/') || path.split('/').includes('..')) throw new Error(`path "${path}" is outside its volume`);
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
