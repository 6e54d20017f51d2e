import { readdirSync, readFileSync } from 'node:fs';

/** The IDs of the processes with this argument in their command line. */
export const processesWith = (argument: string): number[] =>
  readdirSync('/proc').flatMap((pid) => {
    const runs = /^\d+$/.test(pid) && argumentsOf(pid).includes(argument);
    return runs ? [Number(pid)] : [];
  });

/** Empty for a process that has ended meanwhile. */
function argumentsOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
