import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeKubeconfig } from '../shared/kubeconfig.ts';
import { requireInside } from './atomic-folder.ts';
import type { NodeContext } from './controller.ts';
import type { Mounts } from './environment.ts';
import { notRun } from './pod-status.ts';
import type { Json } from './registry.ts';
import { isFiles, keepVolume, ownToken } from './volumes.ts';

// The folder of a pod: `kubeconfig`, `account/token`, and `volumes/<name>`.
const accountFolder = (folder: string): string => join(folder, 'account');
function volumeFolder(folder: string, name: string): string {
  requireInside(name);
  return join(folder, 'volumes', name);
}

/** What a container mounts, by mount path. @param folder of the pod */
export const mountsOf = ({ volumeMounts = [] }: Json, folder: string): Mounts =>
  Object.fromEntries(
    volumeMounts.map(({ name, mountPath, subPath = '' }: Json) => {
      requireInside(subPath);
      return [mountPath.replace(/\/+$/, ''), join(volumeFolder(folder, name), subPath)];
    }),
  );

/** Writes the kubeconfig of a pod: its user is the pod's ServiceAccount. Some clients read the token from its file, which stays fresh, and some the one that is inside. */
export async function writePodKubeconfig({ cluster, files }: NodeContext, { spec }: Json, folder: string): Promise<string> {
  const [path, tokenFile] = [join(folder, 'kubeconfig'), join(accountFolder(folder), 'token')];
  const token = await readFile(tokenFile, 'utf8');
  await writeKubeconfig(path, spec.serviceAccountName ?? 'default', { server: cluster.server, files }, { token, tokenFile });
  return path;
}

/**
 * Writes everything that a pod mounts, and a token of its ServiceAccount, and waits until all of that is there.
 * @returns what ends with the signal, until which the files are kept as their sources are
 * @throws the signal's reason
 */
export async function mountAll(node: NodeContext, pod: Json, folder: string): Promise<{ readonly kept: Promise<unknown> }> {
  const { api, signal } = node;
  const kept: Promise<void>[] = [];
  const mount = (name: string, volume: Json, to: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const onMissing = (words: string): void =>
        api.record(pod, 'Warning', 'FailedMount', `MountVolume.SetUp failed for volume "${name}" : ${words}`);
      const keeping = keepVolume(node, pod, volume, { folder: to, signal, onMissing, onMounted: resolve });
      // When the signal ends it, before everything was there, too.
      keeping.then(() => reject(signal.reason), reject);
      kept.push(keeping);
    });
  const mountEach = async (volume: Json): Promise<void> => {
    const to = volumeFolder(folder, volume.name);
    await mkdir(to, { recursive: true, mode: 0o700 });
    if (isFiles(volume)) return mount(volume.name, volume, to);
    if (!volume.emptyDir)
      api.record(pod, 'Normal', notRun, `volume ${volume.name} is an empty folder: apisvc sandbox has nothing else for it`);
  };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await Promise.all([mount('kube-api-access', ownToken, accountFolder(folder)), ...(pod.spec.volumes ?? []).map(mountEach)]);
  return { kept: Promise.all(kept) };
}
