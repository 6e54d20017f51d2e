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
 * @throws InterruptedError on Ctrl-C, on Ctrl-D, and when the terminal is closed
 */
export async function ask(question: Question, { interrupt, colors }: PromptContext): Promise<string> {
  const end = new AbortController();
  // At Ctrl-D, readline closes without an event that Inquirer listens to. The prompt stays pending,
  // and Node runs out of work: it would exit with code 0 or 13.
  const onEnd = (): void => end.abort();
  process.once('beforeExit', onEnd);
  try {
    return await prompt(question, AbortSignal.any([interrupt, end.signal]), colors);
  } catch (error) {
    // A user who closes the terminal at a prompt declines to answer, as with Ctrl-C.
    if (interrupt.reason instanceof InterruptedError && interrupt.reason.signal === 'SIGHUP') throw new InterruptedError('SIGINT');
    interrupt.throwIfAborted();
    // The terminal is in raw mode, so Ctrl-C is a key for Inquirer and no signal.
    if (end.signal.aborted || (error instanceof Error && error.name === 'ExitPromptError')) throw new InterruptedError('SIGINT');
    throw error;
  } finally {
    process.off('beforeExit', onEnd);
  }
}

function prompt(question: Question, signal: AbortSignal, colors: ChalkInstance): Promise<string> {
  const { message, why, choices, secret } = question;
  const context = { output: process.stderr, signal };
  const theme = themeOf(colors);
  if (choices)
    return select(
      { message, choices, pageSize: choices.length, theme: { ...theme, style: { ...theme.style, ...listStyle(why, colors) } } },
      context,
    );
  if (secret) return password({ message, theme }, context);
  return textPrompt({ ...question, theme }, context);
}
