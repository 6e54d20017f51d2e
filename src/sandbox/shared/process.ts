import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { isInstalled } from './command.ts';

export interface ProcessSpec {
  /** The name in messages, e.g. kube-apiserver. */
  readonly name: string;
  /** The program, then its arguments. */
  readonly command: readonly [string, ...string[]];
  /** A command prefix that enters namespaces; may be empty. */
  readonly enter: readonly string[];
  /** Added to the environment of apisvc. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Standard output and standard error are appended to it. */
  readonly logFile: string;
}

export interface RunningProcess {
  readonly name: string;
  /** The path of its program. */
  readonly program: string;
  readonly logFile: string;
  /** How it ended, e.g. `exited with code 1`; undefined while it runs. */
  ended(): string | undefined;
  /** Resolves when it has ended. */
  readonly gone: Promise<void>;
  /** Ends it and waits until it has ended. */
  stop(): Promise<void>;
}

/** Starts a server that ends with this process. `ended` reports a program that cannot be run. */
export function startProcess({ name, command, enter, env, logFile }: ProcessSpec): RunningProcess {
  const log = openSync(logFile, 'a');
  const [program, ...args] = [...dieWithParent(), ...enter, ...command] as [string, ...string[]];
  // In its own process group: apisvc handles Ctrl-C and stops its servers in order.
  const child = spawn(program, args, { stdio: ['ignore', log, log], detached: true, env: { ...process.env, ...env } });
  closeSync(log);

  let ending: string | undefined;
  const gone = new Promise<void>((resolve) => {
    const end = (how: string): void => {
      ending = how;
      resolve();
    };
    child.once('error', (error) => end(startFault(error)));
    child.once('exit', (code, signal) => end(signal ? `was killed by ${signal}` : `exited with code ${code}`));
  });
  return { name, program: command[0], logFile, ended: () => ending, gone, stop: () => kill(child, gone) };
}

/** Why a program did not start, without the error codes of Node. */
export function startFault({ code, message }: NodeJS.ErrnoException): string {
  const reasons: Readonly<Record<string, string>> = { ENOENT: 'program not found', EACCES: 'permission denied' };
  return `failed to start: ${reasons[code ?? ''] ?? message.replace(/^spawn .* (?=E[A-Z]+$)/, '')}`;
}

/** The last lines of the log, at most `count`. */
export function lastLines({ logFile }: Pick<RunningProcess, 'logFile'>, count: number): string[] {
  const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n');
  return lines.slice(-count).filter(Boolean);
}

/** Node cannot set PR_SET_PDEATHSIG. Without setpriv, the next start removes orphans. */
export const dieWithParent = (): string[] => (isInstalled('setpriv') ? ['setpriv', '--pdeathsig', 'KILL'] : []);

/**
 * SIGKILL: these servers have no state to save, and kube-apiserver's shutdown waits for watches.
 */
async function kill(child: ChildProcess, gone: Promise<void>): Promise<void> {
  child.kill('SIGKILL');
  await gone;
}
