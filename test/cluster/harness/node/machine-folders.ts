import { access, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Folders that containerd, kubelet and the CNI plugins use regardless of their configuration. */
export const machineFolders = ['/var/lib/cni', '/var/lib/kubelet', '/var/log/containers'];

/** A file that marks a folder as created by the tests. */
const mark = '.made-by-apisvc-tests';

/** Shell commands that create missing folders, so that a file system can be mounted over them. */
export const createFolders = (folders: readonly string[]): string =>
  folders.map((folder) => `[ -d '${folder}' ] || { mkdir -p '${folder}'; : > '${folder}/${mark}'; }`).join('\n');

/**
 * Removes the folders that the tests created, unless they have other files. Removing a folder
 * detaches the mounts over it in every mount namespace (Linux since 3.18, fs/namespace.c,
 * detach_mounts). So this does nothing while any run has a network; the last run or the next start
 * removes them.
 */
export async function removeCreatedFolders(folders: readonly string[] = machineFolders, networks = '/run/netns'): Promise<void> {
  const running = await readdir(networks).catch(() => []);
  if (running.some((name) => name.startsWith('apisvc-'))) return;
  for (const folder of folders) {
    const marked = await access(join(folder, mark)).then(
      () => true,
      () => false,
    );
    if (!marked) continue;
    await rm(join(folder, mark), { force: true });
    // This fails if the folder has other files by now, which must stay.
    await rmdir(folder).catch(() => {});
  }
}
