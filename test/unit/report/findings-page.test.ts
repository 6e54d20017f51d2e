import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { catalog } from '../../../src/diagnosis/catalog.ts';
import { findingsPage } from '../../../src/report/findings-page.ts';

test('docs/findings.md is generated from the catalog (npm run docs)', () => {
  expect(readFileSync('docs/findings.md', 'utf8')).toBe(findingsPage());
});

test('every code has its own heading and anchor', () => {
  const page = findingsPage();
  const anchors = [...page.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id);
  expect(new Set(anchors).size).toBe(Object.keys(catalog).length);
  for (const code of Object.keys(catalog)) expect(page).toContain(`## ${code}\n`);
});
