import { access, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Where containerd, kubelet and the CNI plugins keep things whatever they are told. */
export const machineFolders = ['/var/lib/cni', '/var/lib/kubelet', '/var/log/containers'];

/** Lies in a folder that we made, which is the machine's otherwise. */
const mark = '.made-by-apisvc-tests';

/** Shell commands that make those that are not there, to mount something over them. */
export const makeFolders = (folders: readonly string[]): string =>
  folders.map((folder) => `[ -d '${folder}' ] || { mkdir -p '${folder}'; : > '${folder}/${mark}'; }`).join('\n');

/**
 * Removes the folders that we made, if nobody else uses them. To remove one takes away what is mounted over it in every mount namespace
 * (Linux since 3.18: fs/namespace.c, detach_mounts), so that nothing is done while any run has a network: the last one does it, or the next start.
 */
export async function removeMadeFolders(folders: readonly string[] = machineFolders, networks = '/run/netns'): Promise<void> {
  const running = await readdir(networks).catch(() => []);
  if (running.some((name) => name.startsWith('apisvc-'))) return;
  for (const folder of folders) {
    const marked = await access(join(folder, mark)).then(
      () => true,
      () => false,
    );
    if (!marked) continue;
    await rm(join(folder, mark), { force: true });
    // What has become somebody's stays.
    await rmdir(folder).catch(() => {});
  }
}
