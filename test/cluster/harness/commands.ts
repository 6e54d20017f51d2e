import { mkdtempSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { execa } from 'execa';
import { codeCache } from '../../code-cache.ts';
import { program } from './programs.ts';
import { cluster } from './provided.ts';

const kubectlPath = program(cluster.programs, 'kubectl');
/** APISVC_CLI names another program, such as an executable of a release. */
const [cli = '', ...cliArguments] = process.env.APISVC_CLI
  ? [process.env.APISVC_CLI]
  : [process.execPath, join(import.meta.dirname, '..', '..', '..', 'bin', 'apisvc.js')];

/** An empty home directory, so that the tests do not read or write files of the current user. */
const home = mkdtempSync(join(cluster.stateDir, 'home-'));

/**
 * A failing command is a result, not an exception. Every command has a timeout. A killed command
 * has no exit code.
 */
const options = { reject: false, extendEnv: false, stripFinalNewline: false, timeout: 90_000 } as const;

/** The environment of every command: kubectl in PATH, an empty home directory, and a kubeconfig. */
export const environment = (kubeconfig: string, env: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  PATH: `${dirname(kubectlPath)}${delimiter}${process.env.PATH ?? ''}`,
  HOME: home,
  KUBECONFIG: kubeconfig,
  ...codeCache,
  ...env,
});

export interface KubectlOptions {
  /** Standard input, for `-f -`. */
  readonly input?: string;
  /** Path. The default is the administrator's kubeconfig. */
  readonly kubeconfig?: string;
}

/** Runs kubectl. @returns exitCode, stdout, stderr and the other fields of an execa result */
export const kubectl = (args: readonly string[], { input = '', kubeconfig = cluster.kubeconfig }: KubectlOptions = {}) =>
  execa(kubectlPath, args, { ...options, input, env: environment(kubeconfig) });

export interface ApisvcOptions {
  /** Working directory. The default is an empty folder. */
  readonly cwd?: string;
  /** Added to PATH, HOME and the administrator's KUBECONFIG; can override them. */
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input, which is never a terminal. */
  readonly input?: string;
  /** Milliseconds, for commands that need longer than the default. */
  readonly timeout?: number;
}

/**
 * Runs the built command line.
 * @returns the execa subprocess: await it for exitCode, stdout and stderr, or send it a signal
 */
export const apisvc = (args: readonly string[], { cwd = home, env, input = '', timeout = options.timeout }: ApisvcOptions = {}) =>
  execa(cli, [...cliArguments, ...args], { ...options, timeout, cwd, input, env: environment(cluster.kubeconfig, env) });
