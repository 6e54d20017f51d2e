import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeKubeconfig } from '../shared/kubeconfig.ts';
import { requireInside } from './atomic-folder.ts';
import type { NodeContext } from './controller.ts';
import type { Mounts } from './environment.ts';
import type { Json } from './registry.ts';
import { ownToken, syncVolume } from './volumes.ts';

// The folder of a pod has `kubeconfig`, `account/token`, and `volumes/<name>`.
const accountFolder = (folder: string): string => join(folder, 'account');
function volumeFolder(folder: string, name: string): string {
  requireInside(name);
  return join(folder, 'volumes', name);
}

/** The folders that a container mounts, by mount path. @param folder of the pod */
export const mountsOf = ({ volumeMounts = [] }: Json, folder: string): Mounts =>
  Object.fromEntries(
    volumeMounts.map(({ name, mountPath, subPath = '' }: Json) => {
      requireInside(subPath);
      return [mountPath.replace(/\/+$/, ''), join(volumeFolder(folder, name), subPath)];
    }),
  );

/**
 * Writes a kubeconfig for the ServiceAccount of a pod. It has the token and names its file, because
 * some clients support only one of the two.
 */
export async function writePodKubeconfig({ cluster, files }: NodeContext, { spec }: Json, folder: string): Promise<string> {
  const [path, tokenFile] = [join(folder, 'kubeconfig'), join(accountFolder(folder), 'token')];
  const token = await readFile(tokenFile, 'utf8');
  await writeKubeconfig(path, spec.serviceAccountName ?? 'default', { server: cluster.server, files }, { token, tokenFile });
  return path;
}

/**
 * Writes the volumes of a pod and a token of its ServiceAccount, and waits until all files exist.
 * @returns `synced` settles when the signal of the node aborts; until then the files are kept up to
 * date
 * @throws the reason of the signal
 */
export async function mountAll(node: NodeContext, pod: Json, folder: string): Promise<{ readonly synced: Promise<unknown> }> {
  const syncing: Promise<void>[] = [];
  const mount = (name: string, volume: Json, to: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const onMissing = (why: string): void => node.api.warn(pod, 'FailedMount', `MountVolume.SetUp failed for volume "${name}" : ${why}`);
      const sync = syncVolume(node, pod, volume, { folder: to, onMissing, onMounted: resolve });
      sync.then(() => reject(node.signal.reason), reject);
      syncing.push(sync);
    });
  const mountVolume = async (volume: Json): Promise<void> => {
    const to = volumeFolder(folder, volume.name);
    await mkdir(to, { recursive: true, mode: 0o700 });
    // Any other volume is an empty folder.
    if (volume.secret ?? volume.configMap ?? volume.projected) await mount(volume.name, volume, to);
  };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await Promise.all([mount('kube-api-access', ownToken, accountFolder(folder)), ...(pod.spec.volumes ?? []).map(mountVolume)]);
  return { synced: Promise.all(syncing) };
}
