import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { folder } from '../unit/project/folder.ts';
import { answer, questions } from './init-dialogue.ts';
import { hasTmux, terminal } from './tmux.ts';

beforeEach((context) => context.skip(!hasTmux, 'NOT TESTED: the end of a prompt (needs tmux)'));

const prompts = questions.map(([question], at) => [question.source.replaceAll('\\', ''), at] as const);

test.each(prompts)('Ctrl-D at "%s": exit 130, no files, terminal modes restored', async (_, at) => {
  const cwd = folder();
  const screen = terminal('before=$(stty -g); apisvc init demo; code=$?; test "$before" = "$(stty -g)" && echo same; (exit $code)', cwd);
  await answer(screen, at);
  screen.type('C-d');
  expect(await screen.until(/exit code/)).toMatch(/error: interrupted\nsame\nexit code 130$/);
  expect(readdirSync(cwd)).toEqual([]);
});

test('Ctrl-D after some characters deletes to the right, as readline does', async () => {
  const screen = terminal('apisvc init demo', folder());
  await answer(screen, 1);
  screen.type('my.example.com/v12', 'Left', 'C-d');
  await screen.until(/\(group\/version\) my\.example\.com\/v1\n/);
});

test.each(prompts)('a terminal that is closed at "%s": exit 130, no files', async (_, at) => {
  const cwd = folder();
  const codes = folder();
  // The shell survives the signal, so that it can note the exit code.
  const screen = terminal(`trap : HUP; apisvc init demo; echo $? > ${codes}/code`, cwd);
  await answer(screen, at);
  screen.close();
  const code = await vi.waitFor(() => {
    const file = join(codes, 'code');
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    expect(text).not.toBe('');
    return text;
  }, 20_000);
  expect(code).toBe('130\n');
  expect(readdirSync(cwd)).toEqual([]);
});
