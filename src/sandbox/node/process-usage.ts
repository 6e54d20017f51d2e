import { readdirSync, readFileSync } from 'node:fs';
import type { Usage } from '../shared/program.ts';

/** USER_HZ, the same on every Linux (proc_pid_stat(5), sysconf(_SC_CLK_TCK)). */
const ticksPerSecond = 100;

/** What the processes of a group use, those that have ended and were waited for by others of the group included. @returns undefined where there is no /proc */
export function groupUsage(group: number): Usage | undefined {
  const usages = pids().flatMap((pid) => usageOf(pid, group) ?? []);
  if (usages.length === 0) return undefined;
  return usages.reduce((sum, each) => ({ cpuSeconds: sum.cpuSeconds + each.cpuSeconds, memoryBytes: sum.memoryBytes + each.memoryBytes }));
}

function pids(): string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

function usageOf(pid: string, group: number): Usage | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the command stands in parentheses and may hold anything; after it come fields 3 and on: 5 is the group, 14 to 17 are times.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    if (fields[2] !== group) return undefined;
    const ticks = fields.slice(11, 15).reduce((sum, each) => sum + each, 0);
    const [, kiB = '0'] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return { cpuSeconds: ticks / ticksPerSecond, memoryBytes: Number(kiB) * 1024 };
  } catch {
    // It has ended meanwhile.
    return undefined;
  }
}
