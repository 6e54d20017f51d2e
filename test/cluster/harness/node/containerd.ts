import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cniFolder } from '../../../../scripts/packages.mjs';
import type { Network } from '../../../../src/sandbox/real/network.ts';
import { pauseImage } from './images.ts';
import { podNetwork } from './pod-network.ts';

/** The folder where containerd keeps images. */
export const containerdRoot = (stateDir: string): string => join(stateDir, 'containerd');

/** The socket where containerd listens. */
export const containerdSocket = (stateDir: string): string => join(stateDir, 'containerd.sock');

/**
 * Writes the configuration of containerd and of the pod network.
 * @returns the command that runs containerd
 */
export async function containerdCommand(stateDir: string, network: Network): Promise<[string, ...string[]]> {
  const networks = join(stateDir, 'cni');
  await mkdir(networks);
  await writeFile(join(networks, 'bridge.conflist'), JSON.stringify(podNetwork(network)));
  const file = join(stateDir, 'containerd.toml');
  await writeFile(file, configuration(stateDir, networks));
  return ['containerd', `--config=${file}`];
}

/**
 * restrict_oom_score_adj is needed where the host is a container, which can't lower oom_score_adj
 * without CAP_SYS_RESOURCE.
 */
const configuration = (stateDir: string, networks: string): string => `version = 2
root = "${containerdRoot(stateDir)}"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]
[grpc]
  address = "${containerdSocket(stateDir)}"
[plugins."io.containerd.internal.v1.opt"]
  path = "${join(stateDir, 'opt')}"
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
  sandbox_image = "${pauseImage}"
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "${cniFolder}"
  conf_dir = "${networks}"
`;
