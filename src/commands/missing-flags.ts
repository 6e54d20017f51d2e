import { UsageError } from '../errors.ts';
import type { Question } from './terminal.ts';

/**
 * The error for questions that cannot be asked: it names the flags that answer them, as cobra does.
 */
export function missingFlags(questions: readonly Pick<Question, 'flag'>[]): UsageError {
  const names = questions.map(({ flag }) => `"${flag.split(' ')[0]}"`);
  return new UsageError(`required flag${names.length === 1 ? '' : 's'} ${names.join(', ')} not set`, {
    fix: `Add ${questions.map(({ flag }) => flag).join(' ')}.`,
  });
}
