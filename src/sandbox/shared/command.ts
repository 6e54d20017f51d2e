import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Runs a command. @returns its standard output @throws the error of node:child_process */
export async function output(command: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(command, args);
  return stdout;
}

/** Whether PATH has a program of this name. */
export function isInstalled(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
