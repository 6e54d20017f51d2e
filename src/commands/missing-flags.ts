import { UsageError } from '../errors.ts';
import type { Question } from './terminal.ts';

type Missing = Pick<Question, 'flag' | 'choices'>;

/**
 * The error for questions that cannot be asked: it names the flags that answer them, as cobra does.
 */
export function missingFlags(questions: readonly Missing[]): UsageError {
  const names = questions.map(({ flag }) => `"${flag.split(' ')[0]}"`);
  return new UsageError(`required flag${names.length === 1 ? '' : 's'} ${names.join(', ')} not set`, {
    fix: [`Add ${questions.map(({ flag }) => flag).join(' ')}.`, ...questions.flatMap(choicesOf)].join(' '),
  });
}

/** The choices in words: a shell would run what follows a `|`. */
function choicesOf({ flag, choices = [] }: Missing): string[] {
  const values = choices.map(({ value }) => value);
  const last = values.pop();
  const [name, placeholder] = flag.split(' ');
  return last === undefined ? [] : [`${placeholder} is ${values.join(', ')} or ${last}, for example: ${name} ${last}`];
}
