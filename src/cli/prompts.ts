import password from '@inquirer/password';
import select from '@inquirer/select';
import type { ChalkInstance } from 'chalk';
import type { Question } from '../commands/terminal.ts';
import { InterruptedError } from '../errors.ts';
import { listStyle, themeOf } from './prompt-theme.ts';
import { textPrompt } from './text-prompt.ts';

/** What a prompt needs besides its question. */
export interface PromptContext {
  /** Ends the prompt; its reason is thrown. */
  readonly interrupt: AbortSignal;
  readonly colors: ChalkInstance;
}

/**
 * Prompts on the terminal. The question goes to stderr, because stdout is for results.
 * @throws InterruptedError on Ctrl-C
 */
export async function ask(question: Question, { interrupt, colors }: PromptContext): Promise<string> {
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
    // The terminal is in raw mode, so Ctrl-C is a key for Inquirer and no signal.
    if (error instanceof Error && error.name === 'ExitPromptError') throw new InterruptedError('SIGINT');
    throw error;
  }
}
