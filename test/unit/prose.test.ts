import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

/** Rules for comments, doc comments and prose. Code may be up to 140 columns wide. */

const root = join(import.meta.dirname, '..', '..');
const limit = 100;

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  .trim()
  .split('\n')
  .filter((path) => !/^test\/fixtures\/|\/snapshots\//.test(path));

const lines = (path: string): readonly string[] => readFileSync(join(root, path), 'utf8').split('\n');

const ofKind = (pattern: RegExp): readonly string[] => files.filter((path) => pattern.test(path));

/** A word that cannot be broken, such as a URL or a path, alone on its line. */
const isUnbreakable = (line: string): boolean => !/\S\s+\S/.test(line.trim().replace(/^(?:\/\/|\/\*\*?|\*|#|-)\s*/, ''));

/** Comments that tools read. */
const isDirective = (line: string): boolean => /biome-ignore|yaml-language-server/.test(line);

function wideLines(path: string, isProse: (line: string) => boolean): string[] {
  return lines(path).flatMap((line, index) =>
    line.length > limit && isProse(line) && !isUnbreakable(line) && !isDirective(line) ? [`${path}:${index + 1}`] : [],
  );
}

/** A comment on its own line, or behind code. */
const isComment = (line: string): boolean => /^\s*(?:\/\/|\/\*|\*)/.test(line) || /[;,{})\]]\s+\/\/ /.test(line);
const isHashComment = (line: string): boolean => /^\s*#/.test(line);

/** The lines of a page outside code blocks and tables. */
function proseOf(path: string): string[] {
  let inCode = false;
  return lines(path).flatMap((line, index) => {
    const fence = /^\s*(?:```|~~~)/.test(line);
    if (fence) inCode = !inCode;
    const isText = !fence && !inCode && !/^ {4}|^\s*\|/.test(line);
    return isText && line.length > limit && !isUnbreakable(line) ? [`${path}:${index + 1}`] : [];
  });
}

describe('at most 100 columns', () => {
  const code = ofKind(/\.(?:ts|mts|mjs|js|go)$/);
  const scripts = ofKind(/\.(?:yaml|yml|bash|zsh|fish|sh)$|^\.ci\/run$/);
  const pages = ofKind(/\.md$/);

  test('finds the files', () => {
    expect(code.length).toBeGreaterThan(600);
    expect(scripts.length).toBeGreaterThan(20);
    expect(pages.length).toBeGreaterThan(15);
  });

  test('comments of code', () => expect(code.flatMap((path) => wideLines(path, isComment))).toEqual([]));
  test('comments of YAML and shell scripts', () => expect(scripts.flatMap((path) => wideLines(path, isHashComment))).toEqual([]));
  test('pages', () => expect(pages.flatMap(proseOf)).toEqual([]));

  test.each([
    [`// ${'word '.repeat(20)}`, true],
    [` * ${'word '.repeat(20)}`, true],
    [`const a = 1; // ${'word '.repeat(20)}`, true],
    [`const a = '${'word '.repeat(20)}';`, false],
  ])('tells comments from code: %s', (line, expected) => expect(isComment(line)).toBe(expected));
});

test('the README has at most 170 lines', () => {
  expect(lines('README.md').length - 1).toBeLessThanOrEqual(170);
});

/** Phrases that Kubernetes users do not expect, and that once stood in this project. */
const phrases =
  /\bcan'?t be had\b|\bcannot be had\b|\banew\b|\bwithout a word\b|\bof its own accord\b|\bthink better\b|\bput right\b|\bmade anew\b|\bfor ever\b/i;

test('no phrase that has a plain equivalent', () => {
  const found = files
    .filter((path) => /\.(?:ts|mjs|js|md|yaml)$/.test(path) && path !== 'test/unit/prose.test.ts')
    .flatMap((path) => lines(path).flatMap((line, index) => (phrases.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])));
  expect(found).toEqual([]);
});
