import { randomUUID } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { Chalk, type ChalkInstance, type ColorSupportLevel, supportsColor, supportsColorStderr } from 'chalk';
import { missingFlags } from '../commands/missing-flags.ts';
import type { Question, Terminal } from '../commands/terminal.ts';
import { fileError } from '../config/file-errors.ts';
import type { PromptContext } from './prompts.ts';

export interface TerminalOptions {
  readonly color: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly interrupt: AbortSignal;
}

// https://no-color.org: any value except an empty one. Chalk ignores NO_COLOR on a terminal.
const colors = (enabled: boolean, support: typeof supportsColor): ChalkInstance =>
  new Chalk({ level: !enabled || process.env.NO_COLOR || !support ? 0 : (support.level as ColorSupportLevel) });

/** Colors for stderr. */
export const errorColors = (enabled: boolean): ChalkInstance => colors(enabled, supportsColorStderr);

/** Decides on colors, quietness and prompts; no other code does. */
export function openTerminal({ color, quiet, verbose, interrupt }: TerminalOptions): Terminal {
  const { env, stdout, stderr } = process;
  return {
    env,
    holder: { user: userName(), host: hostname(), id: randomUUID() },
    interrupt,
    quiet,
    stdin: () => process.stdin,
    outColors: colors(color, supportsColor),
    errorColors: errorColors(color),
    columns: stderr.columns || stdout.columns || 80,
    result: writeResult,
    // Cursor home, then erase to the end: the scrollback stays.
    redraw: (text) => writeResult(stdout.isTTY ? `\u001b[H\u001b[J${text}` : text),
    readerGone: () => readerGone,
    trace: verbose ? writeLine : undefined,
    progress: quiet ? () => {} : writeLine,
    status: quiet || !stderr.isTTY || env.CI ? () => {} : showStatus,
    interactive: interactive(),
    ask: (question) => askOnTerminal(question, { interrupt, colors: errorColors(color) }),
  };
}

/** A container may run as a user without a name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env.USER || 'unknown';
  }
}

/** Writes a line to stderr. */
export function writeLine(line: string): void {
  clearStatus();
  process.stderr.write(`${line}\n`);
}

const statusPauseMs = 50;
let statusAt = 0;

/** Shows at most 20 status lines a second; nobody can read more. */
function showStatus(line: string): void {
  if (line === '') clearStatus();
  if (line === '' || performance.now() - statusAt < statusPauseMs) return;
  statusAt = performance.now();
  // Some terminals wrap when the last column is filled.
  process.stderr.write(`\r\u001b[K${line.slice(0, (process.stderr.columns ?? 80) - 1)}`);
}

function clearStatus(): void {
  if (statusAt === 0) return;
  statusAt = 0;
  process.stderr.write('\r\u001b[K');
}

let readerGone = false;

function writeResult(text: string): Promise<void> {
  if (readerGone) return Promise.resolve();
  clearStatus();
  return new Promise((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException): void => {
      readerGone = cause.code === 'EPIPE';
      if (readerGone) {
        resolve();
        return;
      }
      reject(fileError('write', 'stdout', cause));
    };
    process.stdout.once('error', fail);
    process.stdout.write(text, (error) => {
      if (error) return;
      process.stdout.off('error', fail);
      resolve();
    });
  });
}

const interactive = (): boolean => Boolean(process.stderr.isTTY && !process.env.CI && process.stdin.isTTY);

async function askOnTerminal(question: Question, context: PromptContext): Promise<string> {
  if (!interactive()) throw missingFlags([question]);
  const { ask } = await import('./prompts.ts');
  if (question.before !== undefined) writeLine(`\n${question.before}\n`);
  clearStatus();
  return ask(question, context);
}
