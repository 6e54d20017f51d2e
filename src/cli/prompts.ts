import input from '@inquirer/input';
import password from '@inquirer/password';
import select from '@inquirer/select';
import type { Question } from '../commands/terminal.ts';
import { InterruptedError } from '../errors.ts';

/**
 * Asks on the terminal. The question goes to stderr, since stdout is for results.
 * @throws InterruptedError on Ctrl-C
 */
export async function ask({ message, choices, secret }: Question, interrupt: AbortSignal): Promise<string> {
  const context = { output: process.stderr, signal: interrupt };
  try {
    if (choices) return await select({ message, choices: [...choices] }, context);
    if (secret) return await password({ message }, context);
    return (await input({ message, required: true }, context)).trim();
  } catch (error) {
    interrupt.throwIfAborted();
    // Inquirer reads Ctrl-C as a key: the terminal is in raw mode, so there is no signal.
    if (error instanceof Error && error.name === 'ExitPromptError') throw new InterruptedError('SIGINT');
    throw error;
  }
}
