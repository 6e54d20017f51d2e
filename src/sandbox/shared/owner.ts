import { readFileSync } from 'node:fs';

/**
 * Whose something is, in a form that fits into a name: `<pid>-<start time>`. The start time tells a
 * process from a later one that was given the same pid. Undefined when no such process runs.
 */
export function ownerOf(pid: number): string | undefined {
  try {
    // proc_pid_stat(5): the name of the command stands in parentheses and may hold anything; state
    // is field 3, starttime 22.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended; where nothing waits for orphans, as in many containers, it stays one for
    // ever.
    return state === 'Z' ? undefined : `${pid}-${fields[18]}`;
  } catch {
    return undefined;
  }
}

/** Everything that a start leaves on the machine is called `apisvc-<owner>-<random>`. */
const ownedName = /^apisvc-((\d+)-\d+)-/;

/** The beginning of the names of what a running process owns, without further words this one. */
export const ownPrefix = (pid = process.pid): string => `apisvc-${ownerOf(pid)}-`;

/**
 * True for a name made with `ownPrefix` by a process that runs no more: nobody else will clean it
 * up.
 */
export function isOrphan(name: string): boolean {
  const [, owner, pid] = ownedName.exec(name) ?? [];
  return owner !== undefined && ownerOf(Number(pid)) !== owner;
}
