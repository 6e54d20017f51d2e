import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { cacheRoot } from '../../../scripts/components.mjs';
import { topCgroups } from './node/cgroups.ts';

/**
 * Finds what a run left behind on this machine: network namespaces, folders, control groups, mounts
 * and processes. Finds nothing after a clean stop.
 * @param prefix - the prefix of all names of the run, from ownPrefix
 * @returns one line for each resource
 */
export async function findLeftovers(prefix: string): Promise<string[]> {
  const starting = async (folder: string): Promise<string[]> => {
    const names = await readdir(folder).catch(() => []);
    return names.filter((name) => name.startsWith(prefix)).map((name) => join(folder, name));
  };
  const cgroups = (await topCgroups()).filter((path) => basename(path).startsWith(prefix));
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').filter((line) => line.includes(prefix));
  return [
    ...(await starting('/run/netns')).map((path) => `network namespace ${path}`),
    ...[...(await starting(tmpdir())), ...(await starting(cacheRoot()))].map((path) => `folder ${path}`),
    ...cgroups.map((path) => `control group ${path}`),
    ...mounts.map((line) => `mount ${line}`),
    ...(await processesOf(prefix)).map((pid) => `process ${pid}`),
  ];
}

/**
 * Servers have paths of the run's folder in their arguments; processes of pods are in its control
 * group.
 */
async function processesOf(prefix: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const read = (pid: string, file: string): Promise<string> => readFile(join('/proc', pid, file), 'utf8').catch(() => '');
  const owned = await Promise.all(pids.map(async (pid) => `${await read(pid, 'cmdline')}${await read(pid, 'cgroup')}`.includes(prefix)));
  return pids.filter((_, index) => owned[index]);
}
