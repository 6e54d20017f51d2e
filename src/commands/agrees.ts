import type { Question, Terminal } from './terminal.ts';

/**
 * Asks a question that is answered with yes or no.
 * @returns whether the user agrees
 * @throws as `ask`
 */
export async function agrees(terminal: Pick<Terminal, 'ask'>, question: Question): Promise<boolean> {
  const fault = (text: string): string | undefined => (/^(y|yes|n|no)$/i.test(text) ? undefined : 'must be yes or no');
  return !/^n/i.test(await terminal.ask({ ...question, fault }));
}
