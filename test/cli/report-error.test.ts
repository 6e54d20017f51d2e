import { afterEach, expect, test, vi } from 'vitest';
import { reportError } from '../../src/cli/report-error.ts';
import { RefusedError } from '../../src/errors.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const sequence = '\u001b]0;owned\u0007';

test.each([
  ['an error', new RefusedError(`log: ${sequence}`)],
  ['its cause', new RefusedError('log', { cause: new Error(sequence) })],
  ['a defect of ours', new Error(sequence)],
])('no escape of a log reaches the terminal with -v, not in the stack of %s either', (_, error) => {
  const written: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  reportError(error, { color: false, verbose: true });
  expect(written.join('')).toContain('\\x1b]0;owned\\x07');
  expect(written.join('')).not.toContain('\u001b');
  expect(written.join('')).toMatch(/\n {4}at /);
});
