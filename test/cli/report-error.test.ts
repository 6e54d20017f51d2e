import { afterEach, describe, expect, test, vi } from 'vitest';
import { reportError } from '../../src/cli/report-error.ts';
import { Exit, RefusedError } from '../../src/errors.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Reports an error. @returns what was written to stderr, and the exit code */
function report(error: unknown, verbose: boolean) {
  const written: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  const code = reportError(error, { color: false, verbose });
  return { code, text: written.join('') };
}

const sequence = '\u001b]0;owned\u0007';

test.each([
  ['an error', new RefusedError(`log: ${sequence}`)],
  ['its cause', new RefusedError('log', { cause: new Error(sequence) })],
  ['an internal error', new Error(sequence)],
])('-v escapes control characters, also in the stack trace of %s', (_, error) => {
  const { text } = report(error, true);
  expect(text).toContain('\\x1b]0;owned\\x07');
  expect(text).not.toContain('\u001b');
  expect(text).toMatch(/\n {4}at /);
});

describe('an internal error', () => {
  const bug = new TypeError("Cannot read properties of undefined (reading 'x')");

  test('has its own exit code, and shows nothing of Node without -v', () => {
    expect(report(bug, false)).toEqual({
      code: 70,
      text: 'error: internal error: this is a bug in apisvc\nfix: Run the command again with -v, and report the stack trace.\n',
    });
    expect(Exit.internal).toBe(70);
  });

  test('shows the stack trace with -v', () => {
    const { code, text } = report(bug, true);
    expect(code).toBe(70);
    expect(text).toContain('TypeError: Cannot read properties of undefined');
    expect(text).not.toContain('fix:');
  });

  test('may be any thrown value', () => {
    expect(report('text', false).code).toBe(70);
  });
});

test('what the machine refuses is no bug of apisvc, wherever it happens', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
  expect(report(full, false)).toEqual({
    code: 70,
    text: 'error: failed to write a file: no space left on the device\nfix: Free some space, or choose a directory on another file system.\n',
  });
  const socket = Object.assign(new Error('connect EACCES'), { code: 'EACCES', syscall: 'connect', address: '10.0.0.1' });
  expect(report(socket, false).code).toBe(70);
});
