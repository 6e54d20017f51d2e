import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { UsageError } from '../../errors.ts';
import { dieWithParent } from '../shared/process.ts';
import type { ContainerStart, Program, RunningContainer } from '../shared/program.ts';
import { rehearsalCommand, type TlsFiles } from './rehearsal-command.ts';

/** A kubelet waits 30 s without other words (terminationGracePeriodSeconds). */
const graceMs = 5_000;
const outputMs = 500;

/**
 * A command of this machine for a container. It gets what the container would: its arguments, certificate files, kubeconfig, port and environment, as `rehearsalCommand` says.
 * @param command the program, then its arguments
 * @throws UsageError when there is no such program
 */
export function localProgram(command: readonly string[]): Program {
  requireProgram(command[0] ?? '');
  return {
    async start(container) {
      requireProgram(command[0] ?? '');
      const { command: words, env, port } = rehearsalCommand(command, container, tlsFilesOf(container));
      return { ...run(words, env, container.log), port };
    },
  };
}

function run(words: readonly string[], env: Readonly<Record<string, string>>, log: (text: string) => void): RunningContainer {
  const [program = '', ...args] = [...dieWithParent(), ...words];
  // A group of its own: Ctrl-C is for apisvc, which then ends it in order.
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env: { ...process.env, ...env } });
  for (const output of [child.stdout, child.stderr]) logLines(output, log);
  let running = true;
  const ended = new Promise<number>((resolve) => {
    child.once('error', (error) => {
      running = false;
      log(`${error.message}\n`);
      resolve(127);
    });
    child.once('exit', (code, signal) => {
      running = false;
      // A container ends with its first process. What that started may hold on to the outputs, which are read to their end if there is one.
      endGroup(child.pid, 'SIGKILL');
      const exitCode = code ?? 128 + osConstants.signals[signal as NodeJS.Signals];
      child.once('close', () => resolve(exitCode));
      setTimeout(() => resolve(exitCode), outputMs).unref();
    });
  });
  return {
    ended,
    stop: async () => {
      if (running) endGroup(child.pid, 'SIGTERM');
      const late = setTimeout(() => running && endGroup(child.pid, 'SIGKILL'), graceMs);
      await ended;
      clearTimeout(late);
    },
  };
}

/** Both outputs write to one log, but never into each other's lines. */
function logLines(output: Readable, log: (text: string) => void): void {
  createInterface({ input: output, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => log(`${line}\n`));
}

/** What the program started belongs to its group, unless that left it. */
function endGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch (error) {
    // Gone already; or somebody else's by now, as with sudo.
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** What the arguments name, or else the first folder that is mounted with a certificate as Secrets of type kubernetes.io/tls have it. */
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

/** As execvp(3) finds programs. */
function requireProgram(name: string): void {
  const places = name.includes('/') ? [name] : (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name));
  if (name !== '' && places.some(isProgram)) return;
  const found = name.includes('/') && existsSync(name);
  throw new UsageError(
    `"${name}" can't be run: ${found ? 'it is not an executable file' : name.includes('/') ? 'there is no such file' : 'it is not on PATH'}`,
    {
      fix: 'Name the program of your server after --: apisvc sandbox -- ./my-apiserver --some-flag',
    },
  );
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
