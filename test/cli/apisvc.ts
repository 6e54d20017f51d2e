import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect } from 'vitest';

/** The built command line tool, run as a person or a script would. */

export const root = join(import.meta.dirname, '..', '..');
export const bin = join(root, 'bin', 'apisvc.js');
if (!existsSync(join(root, 'dist', 'main.js'))) throw new Error('there is no dist/: run npm run build');

export interface Ran {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** For standard input; without it that is empty. */
  readonly input?: string;
  /** Instead of the program itself, for instance a link to it. */
  readonly program?: string;
}

/** Nothing of the machine's own kubeconfig, colours or CI. */
export const plainEnv = { PATH: process.env.PATH ?? '', HOME: '/nonexistent' };

const privateKey = /PRIVATE KEY-----/;

/** Runs it to its end. No private key may appear in what it prints. */
export async function apisvc(args: readonly string[], options: RunOptions): Promise<Ran> {
  const ran = await apisvcWithKeys(args, options);
  expect(ran.stdout + ran.stderr).not.toMatch(privateKey);
  return ran;
}

/** The same where the key is meant to be shown. */
export async function apisvcWithKeys(args: readonly string[], { cwd, env = {}, input = '', program = bin }: RunOptions): Promise<Ran> {
  const { exitCode, stdout, stderr } = await execa(program, args, {
    cwd,
    env: { ...plainEnv, ...env },
    extendEnv: false,
    input,
    reject: false,
    stripFinalNewline: false,
  });
  return { code: exitCode, stdout, stderr };
}

/** Runs a line of shell in which `$apisvc` is the program. */
export async function shell(script: string, cwd: string, env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  return apisvcWithKeys(['-c', script], { cwd, env: { apisvc: bin, ...env }, program: '/bin/sh' });
}

/** Makes a project of the preset sample-apiserver; `flags` come on top. */
export async function sampleProject(cwd: string, dir = 'demo', ...flags: readonly string[]): Promise<string> {
  const { code, stderr } = await apisvc(['init', dir, '--preset', 'sample-apiserver', '--yes', ...flags], { cwd });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return join(cwd, dir);
}
