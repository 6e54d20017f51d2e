import fc from 'fast-check';
import { parse, type TestSuites } from 'junit2json';
import { expect, test } from 'vitest';
import type { Diagnosis } from '../../../src/diagnosis/types.ts';
import { diagnosisGithub } from '../../../src/report/github.ts';
import { diagnosisHtml } from '../../../src/report/html.ts';
import { diagnosisJunit } from '../../../src/report/junit.ts';
import { encodable } from '../../../src/report/markup.ts';
import { diagnosisSarif } from '../../../src/report/sarif.ts';
import { escapes } from './colors.ts';
import { broken } from './diagnoses.ts';

/** Untrusted text never changes the structure of a report. */

const nasty = fc
  .oneof(
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc
      .array(
        fc.constantFrom(
          '<',
          '>',
          '&',
          '"',
          "'",
          ']]>',
          '-->',
          '`',
          '```',
          '|',
          '\\',
          '\n',
          '\r',
          '%0A',
          '::',
          '\u001b[2J',
          '\u202e',
          '\ud800',
          '\uffff',
          '](',
          '{',
          'a',
        ),
        { maxLength: 12 },
      )
      .map((parts) => parts.join('')),
  )
  // Readers turn names that look like numbers into numbers.
  .map((words) => `a${words}a`);

/** The broken diagnosis with other text. A fix keeps its shape, because semicolons divide it. */
const saying = (words: string): Diagnosis => ({
  ...broken,
  apis: broken.apis.map((api) => ({
    ...api,
    name: words,
    facts: [words],
    notChecked: [{ what: words, why: words }],
    path: api.path.map((hop) => ({ ...hop, name: words })),
    findings: api.findings.map((finding) => ({ ...finding, title: words, cause: words, evidence: [words] })),
  })),
});

const tags = (html: string): string[] => html.match(/<[^>]*>/g) ?? [];

test('HTML has the same tags for any text', () => {
  const usual = tags(diagnosisHtml(saying('words')));
  fc.assert(
    fc.property(nasty, (words) => {
      expect(tags(diagnosisHtml(saying(words)))).toEqual(usual);
    }),
  );
});

test('a JUnit reader gets the text', async () => {
  await fc.assert(
    fc.asyncProperty(nasty, async (words) => {
      const { testsuite } = (await parse(diagnosisJunit(saying(words)))) as TestSuites;
      expect(testsuite?.[0]?.name).toBe(encodable(words));
      expect(testsuite?.[0]?.testcase?.map(({ classname }) => classname)).toEqual([encodable(words), encodable(words)]);
    }),
  );
});

test('SARIF stays JSON with one result; GitHub gets one command a line and no control characters', () => {
  fc.assert(
    fc.property(nasty, (words) => {
      expect(JSON.parse(diagnosisSarif(saying(words))).runs[0].results).toHaveLength(1);
      const { annotations, summary } = diagnosisGithub(saying(words));
      expect(annotations.split('\n').map((line) => /^::\w+ title=/.exec(line)?.[0])).toEqual([
        '::error title=',
        '::notice title=',
        undefined,
      ]);
      expect(annotations + summary).not.toMatch(escapes);
    }),
  );
});
