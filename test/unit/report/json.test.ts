import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resultJson } from '../../../src/report/json.ts';

const reportOf = (text: string): string => resultJson({ wouldApply: [text] });

describe('JSON for scripts', () => {
  test.each(['\u001b[31m', '\u009b31m', '\u007f', '\u202e', '\u2066'])('holds no character that a terminal acts on: %j', (text) => {
    const code = text.charCodeAt(0).toString(16).padStart(4, '0');
    expect(reportOf(text)).toContain(`"\\u${code}`);
    expect(reportOf(text)).not.toContain(text);
  });

  test('parses to the original value', () => {
    const unicode = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(unicode, (text) => {
        expect(JSON.parse(reportOf(text)).wouldApply).toEqual([text]);
      }),
    );
  });
});
