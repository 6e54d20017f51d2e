import { stripVTControlCharacters } from 'node:util';
import { createPrompt, isEnterKey, isTabKey, makeTheme, type Status, type Theme, useKeypress, usePrefix, useState } from '@inquirer/core';
import type { Question } from '../commands/terminal.ts';
import type { PromptTheme } from './prompt-theme.ts';

interface TextConfig extends Pick<Question, 'message' | 'why' | 'initial' | 'fault'> {
  readonly theme: PromptTheme;
}

/**
 * Prompts for one line of text. Unlike Inquirer's input prompt, it validates with every key, and
 * shows below the line why the answer matters.
 */
export const textPrompt = createPrompt<string, TextConfig>(({ message, why = '', initial = '', fault, theme: given }, done) => {
  const theme: Theme = makeTheme(given);
  const [status, setStatus] = useState<Status>('idle');
  const [value, setValue] = useState('');
  const [entered, setEntered] = useState(false);
  const prefix = usePrefix({ status, theme });
  const answer = value.trim() || initial;
  const wrong = answer === '' ? 'must not be empty' : fault?.(answer);

  useKeypress((key, rl) => {
    if (isEnterKey(key) && wrong === undefined) {
      setValue(answer);
      setStatus('done');
      done(answer);
    } else if (isEnterKey(key)) {
      // Enter clears the line: write the answer again, so that it can be corrected.
      rl.write(value);
      setEntered(true);
    } else if (isTabKey(key)) {
      rl.clearLine(0);
      rl.write(value || initial);
      setValue(value || initial);
    } else setValue(rl.line);
  });

  const { style } = theme;
  const asked = `${prefix} ${style.message(message, status)}`;
  if (status === 'done') return `${asked} ${style.answer(value)}`;
  const proposal = value === '' && initial !== '' ? `${style.defaultAnswer(initial)} ` : '';
  // An untouched prompt shows no error.
  const error = wrong !== undefined && (value !== '' || entered) ? style.error(wrong) : '';
  return [layOut(`${asked} ${proposal}`, value), [style.help(why), error].filter((line) => line !== '').join('\n')];
});

/** No-break spaces: Inquirer would break the line at a space. */
const indent = '\u00a0\u00a0';

/**
 * Puts the answer next to the question, or below it where both do not fit into one line. Inquirer
 * breaks lines between words, but readline, which places the cursor, breaks full lines.
 */
function layOut(question: string, value: string): string {
  const width = process.stderr.columns || 80;
  return stripVTControlCharacters(question).length + value.length < width ? question + value : `${question}\n${indent}${value}`;
}
