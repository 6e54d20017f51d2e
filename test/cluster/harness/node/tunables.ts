import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What kubelet wants them to be (pkg/kubelet/cm/container_manager_linux.go, setupKernelTunables). */
const wanted = {
  'vm/overcommit_memory': 1,
  'vm/panic_on_oom': 0,
  'kernel/panic': 10,
  'kernel/panic_on_oops': 1,
  'kernel/keys/root_maxkeys': 1_000_000,
  'kernel/keys/root_maxbytes': 25_000_000,
};

/**
 * Shows kubelet the kernel as it wants it, lest it change the machine's.
 * @returns shell commands, for a mount namespace of its own
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
