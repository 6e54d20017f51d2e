import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { UsageError } from '../../../../src/errors.ts';
import { isOrphan } from '../../../../src/sandbox/shared/owner.ts';

/**
 * Control groups: a node's pods are in groups below one of its own, in every hierarchy that the machine has mounted. Version 1 has one
 * for each controller, version 2 one for all.
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

/** Makes the control group `/<name>`, with every controller that there is. @throws UsageError when this machine does not let us */
export async function createCgroup(name: string): Promise<void> {
  for (const { version, mountPoint } of await hierarchies()) {
    try {
      if (version === 2) await delegateControllers(mountPoint);
      await mkdir(join(mountPoint, name));
    } catch (error) {
      if (error instanceof UsageError) throw error;
      throw new UsageError(`a node needs a control group of its own: ${(error as Error).message}`);
    }
  }
}

/** Groups of version 2 have the controllers that their parent hands down (cgroups(7), cgroup.subtree_control). */
async function delegateControllers(parent: string): Promise<void> {
  const controllers = (await readFile(join(parent, 'cgroup.controllers'), 'utf8')).split(/\s+/).filter(Boolean);
  const handDown = async (): Promise<void> => {
    for (const controller of controllers) await writeFile(join(parent, 'cgroup.subtree_control'), `+${controller}`);
  };
  try {
    await handDown();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error;
    await moveProcessesDown(parent);
    await handDown();
  }
}

/**
 * Moves the processes of a group of version 2 to one below it, where they stay. A group with processes hands nothing down (cgroups(7), no internal
 * processes), unless it is the machine's root; what a container with a cgroup namespace of its own sees as the root is not.
 * @throws UsageError when some can't be moved
 */
export async function moveProcessesDown(parent: string): Promise<void> {
  const leaf = join(parent, 'processes');
  await mkdir(leaf, { recursive: true });
  // A process may fork before it is moved.
  for (let attempt = 0; attempt < 10; attempt++) {
    const pids = (await readFile(join(parent, 'cgroup.procs'), 'utf8')).split('\n').filter(Boolean);
    if (pids.length === 0) return;
    for (const pid of pids) await writeFile(join(leaf, 'cgroup.procs'), pid).catch(() => {});
  }
  throw new UsageError(
    `the control group ${parent} has processes that can't be moved to ${leaf}, so that it can't hand its controllers down`,
    {
      fix: 'Run the container with the control groups of the machine: docker run --cgroupns=host',
    },
  );
}

/** Removes the group with those below it; nothing to do when it is gone. Its processes must have ended. */
export async function removeCgroup(name: string): Promise<void> {
  for (const { mountPoint } of await hierarchies()) await removeTree(join(mountPoint, name));
}

/** Paths of the groups at the top of all hierarchies. */
export async function topCgroups(): Promise<string[]> {
  const found = (await hierarchies()).map(async ({ mountPoint }) => (await readdir(mountPoint)).map((name) => join(mountPoint, name)));
  return (await Promise.all(found)).flat();
}

/** Removes the groups that killed runs left, once their processes have ended. */
export async function removeOrphanedCgroups(): Promise<void> {
  for (const path of await topCgroups()) if (isOrphan(basename(path))) await removeTree(path);
}

/** What looks like files in a group goes with it, so only the folders are to be removed, the innermost first. */
async function removeTree(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(folder, entry.name));
  for (let attempt = 0; ; attempt++) {
    const code = await rmdir(folder).then(
      () => undefined,
      (error: NodeJS.ErrnoException) => error.code,
    );
    // A process that was just killed counts until the kernel has cleared it away.
    if (code !== 'EBUSY' || attempt === 100) return;
    await pause(20);
  }
}
