import { setTimeout as pause } from 'node:timers/promises';
import { RefusedError } from '../../../../src/errors.ts';
import { ownerOf, ownPrefix } from '../../../../src/sandbox/shared/owner.ts';
import { remainsOf } from '../remains.ts';
import { removeOrphans } from '../run.ts';
import { runningTestbeds } from './testbeds.ts';

const patienceMs = 30_000;

/** Ends all testbeds, and removes what killed ones left. @throws RefusedError that names what is still there */
export async function down(): Promise<void> {
  const testbeds = await runningTestbeds();
  const prefixes = testbeds.map(({ pid }) => ownPrefix(pid));
  await Promise.all(testbeds.map(({ pid }) => end(pid)));
  await removeOrphans();
  const remains = (await Promise.all(prefixes.map(remainsOf))).flat();
  if (remains.length > 0) throw new RefusedError(`ended, but still there: ${remains.join('; ')}`, { fix: 'Run it again.' });
  console.error(testbeds.length === 0 ? 'No testbed ran.' : `Ended ${testbeds.length}; nothing is left.`);
}

/** Lets a holder clean up; one that does not is killed, and what it held goes with it. */
async function end(pid: number): Promise<void> {
  const owner = ownerOf(pid);
  signal(pid, 'SIGTERM');
  for (const deadline = Date.now() + patienceMs; ownerOf(pid) === owner; await pause(50)) {
    if (Date.now() > deadline) signal(pid, 'SIGKILL');
  }
}

/** Does nothing to a process that has just ended. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
