import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readDocuments, readManifestTexts } from '../../../../src/snapshot/offline/read.ts';

interface Case {
  readonly name: string;
  readonly text: string;
  readonly documents: readonly unknown[];
  readonly error?: string;
}

/**
 * Written by k8s.io/apimachinery v0.37.2, pkg/util/yaml, NewYAMLOrJSONDecoder, which is the reader
 * of kubectl. It stops at the first error.
 */
const cases: readonly Case[] = JSON.parse(readFileSync('test/fixtures/lint/kubectl-documents.json', 'utf8'));

/** kubectl skips documents that are null. */
const valuesOf = (text: string) =>
  readDocuments({ file: 'a.yaml', text })
    .documents.map(({ value }) => value)
    .filter((value) => value !== null);

describe('documents are read as kubectl reads them', () => {
  test.each(cases.filter(({ error }) => error === undefined))('$name', ({ text, documents }) => {
    expect(readDocuments({ file: 'a.yaml', text }).faults).toEqual([]);
    // Compared as JSON, which has no order of keys for toEqual, and no undefined.
    expect(JSON.parse(JSON.stringify(valuesOf(text)))).toEqual(documents);
  });

  test.each(cases.filter(({ error }) => error !== undefined))('$name: an error', ({ text, documents }) => {
    const { faults, documents: read } = readDocuments({ file: 'a.yaml', text });
    expect(faults[0] ?? read[0]?.unfilled).toMatchObject({
      file: 'a.yaml',
      kind: expect.stringMatching('syntax|template'),
      line: expect.any(Number),
      words: expect.any(String),
    });
    expect(valuesOf(text)).toEqual(expect.arrayContaining([...documents]));
  });
});

describe('faults', () => {
  test('do not quote the runtime', () => {
    const { faults } = readDocuments({ file: 'a.yaml', text: `a: ${'['.repeat(20_000)}` });
    expect(faults.map(({ words }) => words)).toEqual(['it is nested too deeply']);
  });

  test('name line and column, and do not hide other documents', () => {
    const { faults, documents } = readDocuments({ file: 'a.yaml', text: 'a: 1\n---\nb: [\n---\nc: *x\n---\nd: 2\n' });
    expect(documents.map(({ value }) => value)).toEqual([{ a: 1 }, { d: 2 }]);
    expect(faults.map(({ line, column }) => `${line}:${column}`)).toEqual(['3:4', '5:4']);
  });
});

test.each(['password: *hunter2', 'token: |hunter2', '---hunter2', 'password: "hunter2'])('a fault does not quote the file: %s', (text) => {
  const { faults } = readManifestTexts([{ file: 'secret.yaml', text: `${text}\n` }]);
  expect(faults).toHaveLength(1);
  expect(JSON.stringify(faults)).not.toContain('hunter2');
});
