import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { UsageError } from '../../../../src/errors.ts';
import { isOrphan } from '../../../../src/sandbox/shared/owner.ts';

/**
 * A mounted cgroup hierarchy. The control groups of a node's pods are below one parent group in
 * every hierarchy. Version 1 has a hierarchy for each controller, version 2 one for all.
 */
interface Hierarchy {
  readonly version: 1 | 2;
  readonly mountPoint: string;
}

async function hierarchies(): Promise<Hierarchy[]> {
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').map((line) => line.split(' '));
  return mounts.flatMap(([, mountPoint = '', type]) => {
    const version = type === 'cgroup' ? 1 : type === 'cgroup2' ? 2 : undefined;
    return version === undefined ? [] : [{ version, mountPoint }];
  });
}

/**
 * Creates the control group `/<name>` with all available controllers.
 * @throws UsageError if this machine does not allow it
 */
export async function createCgroup(name: string): Promise<void> {
  for (const { version, mountPoint } of await hierarchies()) {
    try {
      if (version === 2) await delegateControllers(mountPoint);
      await mkdir(join(mountPoint, name));
    } catch (error) {
      if (error instanceof UsageError) throw error;
      throw new UsageError(`failed to create a control group for the node: ${(error as Error).message}`);
    }
  }
}

/**
 * Enables all controllers for the children of a cgroup v2 group (cgroups(7),
 * cgroup.subtree_control).
 */
async function delegateControllers(parent: string): Promise<void> {
  const controllers = (await readFile(join(parent, 'cgroup.controllers'), 'utf8')).split(/\s+/).filter(Boolean);
  const delegate = async (): Promise<void> => {
    for (const controller of controllers) await writeFile(join(parent, 'cgroup.subtree_control'), `+${controller}`);
  };
  try {
    await delegate();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error;
    await moveProcessesDown(parent);
    await delegate();
  }
}

/**
 * Moves the processes of a cgroup v2 group to a child group, where they stay. A group with
 * processes can't delegate controllers (cgroups(7), no internal processes), unless it is the root
 * of the host. The root that a container with a separate cgroup namespace sees is not the root of
 * the host.
 * @throws UsageError if some processes can't be moved
 */
export async function moveProcessesDown(parent: string): Promise<void> {
  const leaf = join(parent, 'processes');
  await mkdir(leaf, { recursive: true });
  // A process can fork before it is moved, so try again.
  for (let attempt = 0; attempt < 10; attempt++) {
    const pids = (await readFile(join(parent, 'cgroup.procs'), 'utf8')).split('\n').filter(Boolean);
    if (pids.length === 0) return;
    for (const pid of pids) await writeFile(join(leaf, 'cgroup.procs'), pid).catch(() => {});
  }
  throw new UsageError(`the control group ${parent} has processes that can't be moved to ${leaf}, so its controllers can't be delegated`, {
    fix: 'Run the container with the control groups of the machine: docker run --cgroupns=host',
  });
}

/** Removes a group and its children, if it exists. Its processes must have ended. */
export async function removeCgroup(name: string): Promise<void> {
  for (const { mountPoint } of await hierarchies()) await removeTree(join(mountPoint, name));
}

/** The paths of the top-level groups of all hierarchies. */
export async function topCgroups(): Promise<string[]> {
  const found = (await hierarchies()).map(async ({ mountPoint }) => (await readdir(mountPoint)).map((name) => join(mountPoint, name)));
  return (await Promise.all(found)).flat();
}

/** Removes the groups that killed runs left behind. Their processes must have ended. */
export async function removeOrphanedCgroups(): Promise<void> {
  for (const path of await topCgroups()) if (isOrphan(basename(path))) await removeTree(path);
}

/**
 * Removes a group from the innermost folder outwards. The kernel removes the files of a group with
 * its folder.
 */
async function removeTree(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(folder, entry.name));
  for (let attempt = 0; ; attempt++) {
    const code = await rmdir(folder).then(
      () => undefined,
      (error: NodeJS.ErrnoException) => error.code,
    );
    // A killed process keeps its group busy until the kernel has removed it.
    if (code !== 'EBUSY' || attempt === 100) return;
    await pause(20);
  }
}
