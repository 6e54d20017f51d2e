import { cpSync, existsSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, inject } from 'vitest';
import { codeCache } from '../code-cache.ts';
import { keyMarkersIn } from '../unit/pki/key-traces.ts';

/** Runs the built command as a user or a script does. */

export const root = join(import.meta.dirname, '..', '..');
/** The program; APISVC_CLI names another one, such as an executable of a release. */
export const bin = process.env.APISVC_CLI ?? join(root, 'bin', 'apisvc.js');
if (!existsSync(join(root, 'dist', 'main.cjs'))) throw new Error('dist/ not found: run npm run build');

/** The same as words of a shell, for a PATH without Node.js. */
export const inShell = process.env.APISVC_CLI === undefined ? `'${process.execPath}' '${bin}'` : `'${bin}'`;

export interface Ran {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input; empty by default. */
  readonly input?: string;
  /** Runs another program, for instance a link to apisvc. */
  readonly program?: string;
}

/** An environment without kubeconfig, colors and CI. */
export const plainEnv = { PATH: process.env.PATH ?? '', HOME: '/nonexistent', ...codeCache };

/** Runs a command, and checks that its output contains no private key, unless it asks for one. */
export async function apisvc(args: readonly string[], options: RunOptions): Promise<Ran> {
  const ran = await apisvcWithKeys(args, options);
  // `render --secrets include` prints the Secret.
  const stdout = args.includes('include') ? '' : ran.stdout;
  expect(keyMarkersIn(`${stdout}\n${ran.stderr}`)).toEqual([]);
  return ran;
}

/** Runs a command that may print a private key. */
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

/** Expects one line with the error, and at most one with the fix. */
export const oneLine = ({ stdout, stderr }: Ran): void => {
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^error: [^\n]+\n(fix: [^\n]+\n)?$/);
};

/** Runs a line of shell in which `$apisvc` is the program. */
export async function shell(script: string, cwd: string, env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  return apisvcWithKeys(['-c', script], { cwd, env: { apisvc: bin, ...env }, program: '/bin/sh' });
}

/** The projects of sampleProject, by directory and flags. */
const samples = new Map<string, string>();

/**
 * Creates a project with the preset sample-apiserver. The ones of a worker with the same directory
 * and flags are copies, with the same keys.
 * @returns its directory
 */
export async function sampleProject(cwd: string, dir = 'demo', ...flags: readonly string[]): Promise<string> {
  const id = JSON.stringify([dir, ...flags]);
  const sample = samples.get(id) ?? (await initSample(dir, flags));
  samples.set(id, sample);
  cpSync(sample, join(cwd, dir), { recursive: true });
  return join(cwd, dir);
}

async function initSample(dir: string, flags: readonly string[]): Promise<string> {
  const cwd = mkdtempSync(join(inject('samples'), 'worker-'));
  const { code, stderr } = await apisvc(['init', dir, '--preset', 'sample-apiserver', '--yes', ...flags], { cwd });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return join(cwd, dir);
}
