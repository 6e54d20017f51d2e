import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, vi } from 'vitest';
import { apisvc, bin, plainEnv, type Ran } from '../cli/apisvc.ts';

/** An empty folder of one test, removed after it. */
export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'apisvc-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface RunningSandbox {
  /** For the other commands. */
  readonly env: { readonly KUBECONFIG: string };
  /** Its stderr so far. */
  said(): string;
  /** Sends it a signal and waits until it ends. Fails the test when a file is left. */
  end(signal: NodeJS.Signals): Promise<Ran>;
}

/** Starts `apisvc sandbox` on the simulation and waits until it is ready. */
export async function startSandbox(args: readonly string[], cwd: string): Promise<RunningSandbox> {
  const temporary = mkdtempSync(join(cwd, 'tmp-'));
  const kubeconfig = join(temporary, 'kubeconfig');
  const command = ['sandbox', '--engine', 'simulated', '--write-kubeconfig', kubeconfig, ...args];
  const running = execa(bin, command, {
    cwd,
    env: { ...plainEnv, TMPDIR: temporary },
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    stripFinalNewline: false,
  });
  let stderr = '';
  running.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  onTestFinished(async () => {
    running.kill('SIGKILL');
    await running;
  });
  const settled = vi.waitFor(() => expect(stderr).toContain('runs until you press Ctrl-C'), { timeout: 60_000, interval: 50 });
  await Promise.race([settled, running.then(({ exitCode }) => Promise.reject(new Error(`the sandbox ended with ${exitCode}: ${stderr}`)))]);
  return {
    env: { KUBECONFIG: kubeconfig },
    said: () => stderr,
    end: async (signal) => {
      running.kill(signal);
      const { exitCode, stdout } = await running;
      expect(existsSync(kubeconfig)).toBe(false);
      expect(readdirSync(temporary)).toEqual([]);
      expect(stderr).not.toContain('Warning:');
      return { code: exitCode, stdout, stderr };
    },
  };
}

/** Runs `apisvc sandbox` on the simulation until it exits. Fails the test when a file is left. */
export async function sandboxOnce(args: readonly string[], cwd: string): Promise<Ran> {
  const temporary = mkdtempSync(join(cwd, 'tmp-'));
  const ran = await apisvc(['sandbox', '--engine', 'simulated', ...args], { cwd, env: { TMPDIR: temporary } });
  expect(readdirSync(temporary)).toEqual([]);
  expect(ran.stderr).not.toContain('Warning:');
  return ran;
}

/** A sandbox in which the project `demo` is registered, and apisvc for it, in an empty folder. */
export async function registeredDemo() {
  const cwd = emptyFolder();
  const box = await startSandbox(['--empty'], cwd);
  const run = (...args: string[]) => apisvc(args, { cwd, env: box.env });
  expect(await run('init', 'demo', '--preset', 'demo', '--yes')).toMatchObject({ code: 0 });
  expect(await run('register', '-C', 'demo')).toMatchObject({ code: 0 });
  return { cwd, box, run };
}

/** Runs the commands of a fix, as they stand in an error. */
export const pasteIn = (cwd: string, env: RunningSandbox['env'], fix: string) =>
  execa('/bin/sh', ['-c', fix.replace(/\bapisvc\b/g, () => bin)], { cwd, env: { ...plainEnv, ...env }, extendEnv: false, reject: false });
