import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The values that kubelet expects (pkg/kubelet/cm/container_manager_linux.go, setupKernelTunables).
 */
const wanted = {
  'vm/overcommit_memory': 1,
  'vm/panic_on_oom': 0,
  'kernel/panic': 10,
  'kernel/panic_on_oops': 1,
  'kernel/keys/root_maxkeys': 1_000_000,
  'kernel/keys/root_maxbytes': 25_000_000,
};

/**
 * Mounts files with the expected values over the kernel parameters in /proc/sys, so that kubelet
 * does not change those of the host.
 * @returns shell commands, to run in a separate mount namespace
 */
export async function kernelTunables(stateDir: string): Promise<string[]> {
  const folder = join(stateDir, 'tunables');
  await mkdir(folder);
  return Promise.all(
    Object.entries(wanted).map(async ([name, value]) => {
      const file = join(folder, name.replaceAll('/', '.'));
      await writeFile(file, `${value}\n`);
      return `mount --bind '${file}' /proc/sys/${name}`;
    }),
  );
}
