import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { catalog } from '../../../src/diagnosis/catalog.ts';
import { findingsPage } from '../../../src/report/findings-page.ts';

test('docs/findings.md is what the catalog says (npm run docs writes it)', () => {
  expect(readFileSync('docs/findings.md', 'utf8')).toBe(findingsPage());
});

test('every code has a heading and an anchor of its own', () => {
  const page = findingsPage();
  const anchors = [...page.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id);
  expect(new Set(anchors).size).toBe(Object.keys(catalog).length);
  for (const code of Object.keys(catalog)) expect(page).toContain(`## ${code}\n`);
});
