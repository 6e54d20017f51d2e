import { Chalk, type ChalkInstance, type ColorSupportLevel, supportsColor, supportsColorStderr } from 'chalk';
import type { Question, Terminal } from '../commands/terminal.ts';
import { UsageError } from '../errors.ts';
import type { Asking } from './prompts.ts';

export interface TerminalOptions {
  readonly color: boolean;
  readonly quiet: boolean;
  readonly interrupt: AbortSignal;
}

// https://no-color.org: any value but the empty one. Chalk itself does not look at it on a terminal.
const colors = (wanted: boolean, support: typeof supportsColor): ChalkInstance =>
  new Chalk({ level: !wanted || process.env.NO_COLOR || !support ? 0 : (support.level as ColorSupportLevel) });

/** Colours for stderr. */
export const errorColors = (wanted: boolean): ChalkInstance => colors(wanted, supportsColorStderr);

/** The one place where colour, quietness and interactivity are decided. */
export function openTerminal({ color, quiet, interrupt }: TerminalOptions): Terminal {
  const { env, stdin, stdout, stderr } = process;
  return {
    env,
    interrupt,
    stdin,
    stdoutIsTerminal: Boolean(stdout.isTTY),
    outColors: colors(color, supportsColor),
    errorColors: errorColors(color),
    columns: stderr.columns || stdout.columns || 80,
    result: writeResult,
    // Home, and erase from there on: what scrolled away before stays.
    redraw: (text) => writeResult(stdout.isTTY ? `\u001b[H\u001b[J${text}` : text),
    readerGone: () => readerGone,
    progress: quiet ? () => {} : writeLine,
    status: quiet || !stderr.isTTY || env.CI ? () => {} : showStatus,
    interactive: interactive(),
    ask: (question) => askOnTerminal(question, { interrupt, colors: errorColors(color) }),
  };
}

/** Writes a line to stderr. */
export function writeLine(line: string): void {
  clearStatus();
  process.stderr.write(`${line}\n`);
}

const statusPauseMs = 50;
let statusAt = 0;

/** More often than anybody can read would only cost time. */
function showStatus(line: string): void {
  if (line === '') clearStatus();
  if (line === '' || performance.now() - statusAt < statusPauseMs) return;
  statusAt = performance.now();
  // What fills the last column makes some terminals go to the next line.
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
      const why = cause.code === 'ENOSPC' ? 'no space left on the device' : cause.message;
      reject(new UsageError(`can't write the result to stdout: ${why}`, { cause }));
    };
    process.stdout.once('error', fail);
    process.stdout.write(text, (error) => {
      if (error) return;
      process.stdout.off('error', fail);
      resolve();
    });
  });
}

const interactive = (): boolean => Boolean(process.stdin.isTTY && process.stderr.isTTY && !process.env.CI);

async function askOnTerminal(question: Question, asking: Asking): Promise<string> {
  if (!interactive()) throw new UsageError(`not given: ${question.message}`, { fix: `Use ${question.flag}.` });
  const { ask } = await import('./prompts.ts');
  if (question.before !== undefined) writeLine(`\n${question.before}\n`);
  clearStatus();
  return ask(question, asking);
}
