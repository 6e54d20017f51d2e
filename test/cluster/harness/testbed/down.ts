import { setTimeout as pause } from 'node:timers/promises';
import { RefusedError } from '../../../../src/errors.ts';
import { ownerOf, ownPrefix } from '../../../../src/sandbox/shared/owner.ts';
import { findLeftovers } from '../leftovers.ts';
import { removeOrphans } from '../run.ts';
import { runningTestbeds } from './testbeds.ts';

const stopTimeoutMs = 30_000;

/**
 * Stops all testbeds, and removes what killed ones left behind.
 * @throws RefusedError that names what was not removed
 */
export async function down(): Promise<void> {
  const testbeds = await runningTestbeds();
  const prefixes = testbeds.map(({ pid }) => ownPrefix(pid));
  await Promise.all(testbeds.map(({ pid }) => stop(pid)));
  await removeOrphans();
  const leftovers = (await Promise.all(prefixes.map(findLeftovers))).flat();
  if (leftovers.length > 0) throw new RefusedError(`not removed: ${leftovers.join('; ')}`, { fix: 'Run the same command again.' });
  console.error(testbeds.length === 0 ? 'No testbed is running.' : `Stopped and removed: ${testbeds.length}`);
}

/**
 * Stops the process of a testbed. If it does not clean up in time, it is killed, and its cluster
 * ends with it.
 */
async function stop(pid: number): Promise<void> {
  const owner = ownerOf(pid);
  signal(pid, 'SIGTERM');
  for (const deadline = Date.now() + stopTimeoutMs; ownerOf(pid) === owner; await pause(50)) {
    if (Date.now() > deadline) signal(pid, 'SIGKILL');
  }
}

/** Sends a signal to a process. Does nothing if it has just ended. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
