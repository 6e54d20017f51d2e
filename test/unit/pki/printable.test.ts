import { describe, expect, test } from 'vitest';
import { printable, printableLines, printableQuoted } from '../../../src/pki/printable.ts';

describe('printable', () => {
  test('escapes control characters', () => {
    expect(printable('a\u001b[31m\u009bK\u202e\r\n\tz')).toBe('a\\x1b[31m\\x9bK\\x202e\\x0d\\x0a\\x09z');
  });

  test('does not change other scripts', () => {
    expect(printable('naïve 日本語 ✓ 👩')).toBe('naïve 日本語 ✓ 👩');
  });

  test('printableLines keeps line ends', () => {
    expect(printableLines('a\u0007\nb')).toBe('a\\x07\nb');
  });

  test('printableQuoted writes escapes of JSON', () => {
    const text = 'a\u009b\u202e\u{e0001}\n';
    const json = printableQuoted(JSON.stringify(text));
    expect(json).toBe('"a\\u009b\\u202e\\udb40\\udc01\\n"');
    expect(JSON.parse(json)).toBe(text);
  });
});
