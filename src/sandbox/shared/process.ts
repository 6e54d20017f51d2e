import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { isInstalled } from './command.ts';

export interface ProcessSpec {
  /** What messages call it, e.g. kube-apiserver. */
  readonly name: string;
  /** The program, then its arguments. */
  readonly command: readonly [string, ...string[]];
  /** The words before the command that bring it into its namespaces, e.g. those of `enter`. */
  readonly enter: readonly string[];
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Gets standard output and standard error; appended to. */
  readonly logFile: string;
}

export interface RunningProcess {
  readonly name: string;
  readonly logFile: string;
  /** How it ended, e.g. `exit code 1`; undefined while it runs. */
  ended(): string | undefined;
  /** Resolves when it has ended. */
  readonly gone: Promise<void>;
  /** Ends it and waits until it is gone; nothing to do when it is gone already. */
  stop(): Promise<void>;
}

/**
 * Starts a server that never outlives the process that started it. A program that can't be run is
 * reported by `ended`.
 */
export function startProcess({ name, command, enter, env, logFile }: ProcessSpec): RunningProcess {
  const log = openSync(logFile, 'a');
  const [program, ...args] = [...dieWithParent(), ...enter, ...command] as [string, ...string[]];
  // A group of its own: Ctrl-C is for the parent, which then stops its servers in order.
  const child = spawn(program, args, { stdio: ['ignore', log, log], detached: true, env: { ...process.env, ...env } });
  closeSync(log);

  let ending: string | undefined;
  const gone = new Promise<void>((resolve) => {
    const end = (how: string): void => {
      ending = how;
      resolve();
    };
    child.once('error', (error) => end(error.message));
    child.once('exit', (code, signal) => end(signal ? `signal ${signal}` : `exit code ${code}`));
  });
  return { name, logFile, ended: () => ending, gone, stop: () => kill(child, gone) };
}

/** The last lines of what the process said, at most `count`; empty when it said nothing. */
export function lastLines({ logFile }: Pick<RunningProcess, 'logFile'>, count: number): string[] {
  const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n');
  return lines.slice(-count).filter(Boolean);
}

/**
 * Node can't ask the kernel for PR_SET_PDEATHSIG itself. Without setpriv, removeOrphanedNetworks
 * does the work at the next start.
 */
export const dieWithParent = (): string[] => (isInstalled('setpriv') ? ['setpriv', '--pdeathsig', 'KILL'] : []);

/**
 * SIGKILL: no state of these servers is worth keeping, and a kube-apiserver that ends in good order
 * waits for its watchers.
 */
async function kill(child: ChildProcess, gone: Promise<void>): Promise<void> {
  child.kill('SIGKILL');
  await gone;
}
