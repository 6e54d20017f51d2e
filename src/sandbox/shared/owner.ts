import { readFileSync } from 'node:fs';

/**
 * Identifies a running process as `<pid>-<start time>`, since pids are reused. Undefined when no
 * such process runs.
 */
export function ownerOf(pid: number): string | undefined {
  try {
    // proc_pid_stat(5): the command, in parentheses, may contain anything; state is field 3,
    // starttime 22.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended. In a container without an init process it stays a zombie.
    return state === 'Z' ? undefined : `${pid}-${fields[18]}`;
  } catch {
    return undefined;
  }
}

/** Everything that a sandbox leaves on the host is called `apisvc-<owner>-<random>`. */
const ownedName = /^apisvc-((\d+)-\d+)-/;

/** The prefix of these names. */
export const ownPrefix = (pid = process.pid): string => `apisvc-${ownerOf(pid)}-`;

/** Whether the process that made a name with `ownPrefix` has ended. */
export function isOrphan(name: string): boolean {
  const [, owner, pid] = ownedName.exec(name) ?? [];
  return owner !== undefined && ownerOf(Number(pid)) !== owner;
}
