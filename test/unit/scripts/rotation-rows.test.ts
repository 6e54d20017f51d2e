import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { originOf, tableOf } from '../../../bench/rotation/table.mjs';

const root = join(import.meta.dirname, '..', '..', '..');
const read = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8');
const rows = read('bench', 'rotation', 'rows.jsonl')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line));

test('every row of the measurements of rotations has its commit and its day', () => {
  for (const row of rows) {
    expect(row).toMatchObject({
      commit: expect.stringMatching(/^[0-9a-f]{7,}(-dirty)?$/),
      date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
    });
  }
});

test('docs/rotation.md has the table of these rows, and says which commits they are of', () => {
  const [, shown = ''] = /<!-- begin: npm run bench rotation -->\n\n([\s\S]*?)\n\n<!-- end -->/.exec(read('docs', 'rotation.md')) ?? [];
  expect(shown).toBe(`${tableOf(rows)}\n\n${originOf(rows)}`);
});
