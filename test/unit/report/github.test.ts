import { describe, expect, test } from 'vitest';
import type { Diagnosis } from '../../../src/diagnosis/types.ts';
import { diagnosisGithub } from '../../../src/report/github.ts';
import { escapes } from './colors.ts';
import { broken, healthy, hostile, inFiles, notAllowed, placed, recorded, several, twoFaults } from './diagnoses.ts';

test.each(Object.entries(recorded))('%s', async (name, diagnosis) => {
  const { annotations, summary } = diagnosisGithub(diagnosis);
  await expect(annotations).toMatchFileSnapshot(`snapshots/${name}.annotations.txt`);
  await expect(summary).toMatchFileSnapshot(`snapshots/${name}.summary.txt`);
});

/** Reads workflow commands as the runner does (actions/runner, ActionCommand.cs). */
function commandsOf(diagnosis: Diagnosis) {
  const unescaped = (text: string): string =>
    text.replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
  const { annotations } = diagnosisGithub(diagnosis);
  return annotations
    .trimEnd()
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [, level, properties = '', message = ''] = /^::(\w+) (.*?)::(.*)$/.exec(line) ?? [];
      const pairs = properties.split(',').map((pair) => [pair.slice(0, pair.indexOf('=')), unescaped(pair.slice(pair.indexOf('=') + 1))]);
      return { level, ...Object.fromEntries(pairs), message: unescaped(message) };
    });
}

describe('annotations', () => {
  test('one for each finding, with its text in the message', () => {
    const [command, ...more] = commandsOf(broken);
    expect(more).toEqual([]);
    expect(command).toMatchObject({ level: 'error', title: 'v1alpha1.wardle.example.com: cert/unknown-authority' });
    expect(command?.message).toContain(
      '\nfix: In an apisvc project, update the caBundle: `apisvc register --force-conflicts`. Otherwise, ',
    );
    expect(diagnosisGithub(healthy).annotations).toBe('');
  });

  test('errors come first, then warnings, then what was not checked', () => {
    expect(commandsOf(several).map(({ level }) => level)).toEqual(['error', 'error', 'error', 'error', 'warning', 'notice']);
  });

  test('an unknown verdict is an error', () => {
    expect(commandsOf(notAllowed)[0]).toMatchObject({ level: 'error', message: 'not enough access to decide' });
  });

  test('name the file if there is only one', () => {
    expect(commandsOf(inFiles('a,b:c.yaml')).map(({ file }) => file)).toEqual(['a,b:c.yaml', 'a,b:c.yaml']);
    expect(commandsOf(inFiles('a.yaml', 'b.yaml')).map(({ file }) => file)).toEqual([undefined, undefined]);
    expect(commandsOf(twoFaults)[0]?.file).toBeUndefined();
  });

  test('a finding with places is shown at the first, and lists the others; the same finding is shown once', () => {
    const [unread, first, ...others] = diagnosisGithub(placed).annotations.trim().split('\n');
    expect(others).toEqual([]);
    expect(first).toMatch(/^::error file=a b\.yaml,line=12,col=3,title=[^:]+::.*%0Aat: a b\.yaml:12:3, c\.yaml:4%0A/);
    expect(unread).toMatch(/^::error file=\/tmp\/d\.yaml,title=files%3A manifest\/unreadable::/);
  });

  test('hostile text ends neither the line nor a property', () => {
    const commands = commandsOf(hostile);
    expect(commands.map(({ level }) => level)).toEqual(['error', 'error', 'notice']);
    for (const { title, message } of commands) {
      expect(title).toContain('::error::x, a:b |');
      expect(message).toContain('50%\\x0d\\x0a::error::x');
    }
    expect(diagnosisGithub(hostile).annotations).not.toMatch(escapes);
  });
});

describe('the summary', () => {
  test('has a table row for each API', () => {
    const { summary } = diagnosisGithub(several);
    expect(summary.split('\n').filter((line) => line.startsWith('| ')).length).toBe(2 + 5);
    expect(summary).toContain('## 5 APIs: 1 healthy, 3 broken, 1 unknown\n');
  });

  test('hostile text stays text: no HTML, no table cell, no code fence', () => {
    const { summary } = diagnosisGithub(hostile);
    expect(summary).not.toMatch(escapes);
    const [row = ''] = summary.split('\n').filter((line) => line.startsWith('| ❌'));
    expect(row.replaceAll('\\|', '').split('|')).toHaveLength(6);
    // GitHub does not parse Markdown in HTML, in code spans and in code blocks.
    const outside = summary
      .replace(/<summary>.*?<\/summary>/g, '')
      .replace(/^(`{3,})\n[\s\S]*?\n\1$/gm, '')
      .replace(/(`+)(?!`).*?[^`]\1(?!`)/g, '');
    expect(outside).not.toMatch(/(?<!\\)<(?!\/?details\b)/);
    expect(outside).not.toMatch(/(?<!\\)\]\(/);
  });

  test('stays below the size limit of GitHub', () => {
    const apis = Array.from({ length: 3_000 }, () => several.apis[0]).filter((api) => api !== undefined);
    const { summary } = diagnosisGithub({ ...several, apis });
    expect(Buffer.byteLength(summary)).toBeLessThan(1_048_576);
    expect(summary.endsWith('The summary is truncated: it exceeds the GitHub size limit.\n')).toBe(true);
  });
});
