import password from '@inquirer/password';
import select from '@inquirer/select';
import type { ChalkInstance } from 'chalk';
import type { Question } from '../commands/terminal.ts';
import { InterruptedError } from '../errors.ts';
import { listStyle, themeOf } from './prompt-theme.ts';
import { textPrompt } from './text-prompt.ts';

/** What asking needs beside the question. */
export interface Asking {
  /** Ends the asking; its reason is thrown. */
  readonly interrupt: AbortSignal;
  readonly colors: ChalkInstance;
}

/**
 * Asks on the terminal. The question goes to stderr, since stdout is for results.
 * @throws InterruptedError on Ctrl-C
 */
export async function ask(question: Question, { interrupt, colors }: Asking): Promise<string> {
  const { message, why, choices, secret } = question;
  const context = { output: process.stderr, signal: interrupt };
  const theme = themeOf(colors);
  try {
    if (choices)
      return await select({ message, choices, theme: { ...theme, style: { ...theme.style, ...listStyle(why, colors) } } }, context);
    if (secret) return await password({ message, theme }, context);
    return await textPrompt({ ...question, theme }, context);
  } catch (error) {
    interrupt.throwIfAborted();
    // Inquirer reads Ctrl-C as a key: the terminal is in raw mode, so there is no signal.
    if (error instanceof Error && error.name === 'ExitPromptError') throw new InterruptedError('SIGINT');
    throw error;
  }
}
