import { mkdtempSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { execa } from 'execa';
import { program } from './programs.ts';
import { cluster } from './provided.ts';

const kubectlPath = program(cluster.programs, 'kubectl');
const cli = join(import.meta.dirname, '..', '..', '..', 'bin', 'apisvc.js');

/** An empty home, so that nothing of the person who runs the tests is read or written. */
const home = mkdtempSync(join(cluster.stateDir, 'home-'));

/** A command that fails is a result to look at, not an exception; none waits for ever. Killed ones have no exit code. */
const options = { reject: false, extendEnv: false, stripFinalNewline: false, timeout: 90_000 } as const;

/** The environment of every command: kubectl in PATH, an empty home and a kubeconfig. */
export const environment = (kubeconfig: string, env: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  PATH: `${dirname(kubectlPath)}${delimiter}${process.env.PATH ?? ''}`,
  HOME: home,
  KUBECONFIG: kubeconfig,
  ...env,
});

export interface KubectlOptions {
  /** Goes to standard input, for `-f -`. */
  readonly input?: string;
  /** Path; the administrator's without it. */
  readonly kubeconfig?: string;
}

/** Runs kubectl to its end. @returns exitCode, stdout, stderr and the rest of an execa result */
export const kubectl = (args: readonly string[], { input = '', kubeconfig = cluster.kubeconfig }: KubectlOptions = {}) =>
  execa(kubectlPath, args, { ...options, input, env: environment(kubeconfig) });

export interface ApisvcOptions {
  /** Folder to run in; an empty one without it. */
  readonly cwd?: string;
  /** Added to PATH, HOME and the administrator's KUBECONFIG, which it may override. */
  readonly env?: Readonly<Record<string, string>>;
  /** Goes to standard input, which is no terminal in any case. */
  readonly input?: string;
  /** Milliseconds, for what goes on for longer than others. */
  readonly timeout?: number;
}

/** Runs the built command line. @returns the execa subprocess: await it for exitCode, stdout and stderr, or send it a signal */
export const apisvc = (args: readonly string[], { cwd = home, env, input = '', timeout = options.timeout }: ApisvcOptions = {}) =>
  execa(process.execPath, [cli, ...args], { ...options, timeout, cwd, input, env: environment(cluster.kubeconfig, env) });
