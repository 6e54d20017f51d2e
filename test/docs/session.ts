import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { expect } from 'vitest';
import { bin, plainEnv } from '../cli/apisvc.ts';

/** Runs the commands of a page as one shell would: the working directory and `$?` carry over. */
export interface Session {
  /**
   * @returns stdout and stderr in the order of writing, with the folder of the session as /home/you
   */
  run(command: string): Promise<string>;
  /** The exit code of the last command. */
  exitCode(): number;
}

/**
 * @param folder the home of the session, which starts in it
 * @param env added to PATH and HOME, for example KUBECONFIG
 */
export function startSession(folder: string, env: Readonly<Record<string, string>> = {}): Session {
  const programs = join(folder, '.bin');
  const state = join(folder, '.cwd');
  mkdirSync(programs);
  symlinkSync(bin, join(programs, 'apisvc'));
  let cwd = folder;
  let code = 0;
  return {
    exitCode: () => code,
    async run(command) {
      const script = `exec 2>&1; (exit ${code}); ${command}\ncode=$?; pwd >'${state}'; exit $code`;
      const { exitCode, stdout } = await execa('/bin/sh', ['-c', script], {
        cwd,
        env: { ...plainEnv, ...env, PATH: `${programs}${delimiter}${env.PATH ?? plainEnv.PATH}`, HOME: folder },
        extendEnv: false,
        stdin: 'ignore',
        reject: false,
      });
      expect(stdout).not.toContain('PRIVATE KEY');
      cwd = readFileSync(state, 'utf8').trim();
      code = exitCode ?? 1;
      return stdout.replaceAll(folder, '/home/you');
    },
  };
}
