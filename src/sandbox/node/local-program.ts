import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { UsageError } from '../../errors.ts';
import { isExecutable, isInstalled } from '../shared/command.ts';
import { dieWithParent, startFault } from '../shared/process.ts';
import type { ContainerStart, Program, RunningContainer } from '../shared/program.ts';
import { rehearsalCommand, type TlsFiles } from './rehearsal-command.ts';

/** The default of a kubelet is 30 s (terminationGracePeriodSeconds). */
const graceMs = 5_000;
const outputMs = 500;

/**
 * A command of this host in place of an image. `rehearsalCommand` gives it the arguments, the
 * certificate files, the kubeconfig, the port and the environment of the container.
 * @param command the program, then its arguments
 * @throws UsageError when the program cannot be run
 */
export function localProgram(command: readonly string[]): Program {
  requireProgram(command[0] ?? '');
  return {
    async start(container) {
      requireProgram(command[0] ?? '');
      const { command: full, env, port } = rehearsalCommand(command, container, tlsFilesOf(container));
      return { ...run(full, env, container.log), port };
    },
  };
}

function run(command: readonly string[], env: Readonly<Record<string, string>>, log: (text: string) => void): RunningContainer {
  const [program = '', ...args] = [...dieWithParent(), ...command];
  // In its own process group: apisvc handles Ctrl-C and stops its programs in order.
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env: { ...process.env, ...env } });
  // Line by line, so that the two outputs do not mix within a line.
  for (const input of [child.stdout, child.stderr])
    createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => log(`${line}\n`));
  let running = true;
  const ended = new Promise<number>((resolve) => {
    child.once('error', (error) => {
      running = false;
      log(`${command[0]}: ${startFault(error)}\n`);
      resolve(127);
    });
    child.once('exit', (code, signal) => {
      running = false;
      // A container ends with its first process. A child process that left the group may keep the
      // outputs open, so wait for their end only briefly.
      signalGroup(child.pid, 'SIGKILL');
      const exitCode = code ?? 128 + osConstants.signals[signal as NodeJS.Signals];
      child.once('close', () => resolve(exitCode));
      setTimeout(() => resolve(exitCode), outputMs).unref();
    });
  });
  return {
    ended,
    stop: async () => {
      if (running) signalGroup(child.pid, 'SIGTERM');
      const late = setTimeout(() => running && signalGroup(child.pid, 'SIGKILL'), graceMs);
      await ended;
      clearTimeout(late);
    },
  };
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch (error) {
    // It has ended, or another user owns it, as with sudo.
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** The files that the arguments name, otherwise those in the first mounted folder with tls.crt. */
function tlsFilesOf({ args, command, mounts }: ContainerStart): TlsFiles | undefined {
  const words = [...command, ...args];
  const flagValue = (flag: string): string | undefined => {
    const at = words.findLastIndex((word) => word === flag || word.startsWith(`${flag}=`));
    return at === -1 ? undefined : words[at]?.slice(flag.length + 1) || words[at + 1];
  };
  const [cert, key] = [flagValue('--tls-cert-file'), flagValue('--tls-private-key-file')];
  if (cert !== undefined && key !== undefined) return { cert, key };
  const folder = Object.values(mounts).find((each) => existsSync(join(each, 'tls.crt')));
  return folder === undefined ? undefined : { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
}

/** Looks for the program as execvp(3) does. @throws UsageError */
function requireProgram(name: string): void {
  const isPath = name.includes('/');
  if (name !== '' && (isPath ? isExecutable(name) : isInstalled(name))) return;
  const why = !isPath ? 'not found on PATH' : existsSync(name) ? 'not an executable file' : 'file not found';
  throw new UsageError(`cannot run "${name}": ${why}`, {
    fix: 'Pass the program of your server after --: apisvc sandbox -- ./my-apiserver --some-flag',
  });
}
