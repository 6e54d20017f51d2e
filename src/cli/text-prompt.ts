import { stripVTControlCharacters } from 'node:util';
import { createPrompt, isEnterKey, isTabKey, makeTheme, type Status, type Theme, useKeypress, usePrefix, useState } from '@inquirer/core';
import type { Question } from '../commands/terminal.ts';
import type { PromptTheme } from './prompt-theme.ts';

interface TextConfig extends Pick<Question, 'message' | 'why' | 'initial' | 'fault'> {
  readonly theme: PromptTheme;
}

/**
 * Asks for one line of text. Inquirer's own prompt of this kind checks an answer only when Enter is pressed; this one says beneath it, with every key, what is still wrong, and
 * why the answer matters.
 */
export const textPrompt = createPrompt<string, TextConfig>(({ message, why = '', initial = '', fault, theme: given }, done) => {
  const theme: Theme = makeTheme(given);
  const [status, setStatus] = useState<Status>('idle');
  const [value, setValue] = useState('');
  const [entered, setEntered] = useState(false);
  const prefix = usePrefix({ status, theme });
  const answer = value.trim() || initial;
  const wrong = answer === '' ? 'this needs an answer' : fault?.(answer);

  useKeypress((key, rl) => {
    if (isEnterKey(key) && wrong === undefined) {
      setValue(answer);
      setStatus('done');
      done(answer);
    } else if (isEnterKey(key)) {
      // Enter has emptied the line; what was typed stays to be corrected.
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
  // Nobody has made a mistake who has not begun.
  const complaint = wrong !== undefined && (value !== '' || entered) ? style.error(wrong) : '';
  return [laidOut(`${asked} ${proposal}`, value), [style.help(why), complaint].filter((line) => line !== '').join('\n')];
});

/** Not a space, at which Inquirer would break the line. */
const indent = '\u00a0\u00a0';

/**
 * The question and what is typed, beneath it where both do not fit into one line: Inquirer breaks lines between words, and readline, which places the cursor, where they are full.
 */
function laidOut(question: string, value: string): string {
  const width = process.stderr.columns || 80;
  return stripVTControlCharacters(question).length + value.length < width ? question + value : `${question}\n${indent}${value}`;
}
