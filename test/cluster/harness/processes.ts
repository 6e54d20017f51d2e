import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** The IDs of the processes with this argument in their command line. */
export const processesWith = (argument: string): number[] =>
  readdirSync('/proc').flatMap((pid) => {
    const file = `/proc/${pid}/cmdline`;
    const runs = /^\d+$/.test(pid) && existsSync(file) && readFileSync(file, 'utf8').split('\0').includes(argument);
    return runs ? [Number(pid)] : [];
  });
