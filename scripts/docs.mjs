// Writes the pages of docs/ that come out of something else: the catalog of findings, and what the fault laboratory recorded. Tests say when they are out of date.
import { writeFile } from 'node:fs/promises';
import { loadTypescript } from './load-typescript.mjs';

const write = (/** @type {string} */ name, /** @type {string} */ text) => writeFile(new URL(`../docs/${name}`, import.meta.url), text);

const { findingsPage } = await loadTypescript('src/report/findings-page.ts');
await write('findings.md', findingsPage());
const [{ laboratoryPage }, { readRecordings }] = await Promise.all([
  loadTypescript('test/cluster/laboratory/page.ts'),
  loadTypescript('test/cluster/laboratory/recording.ts'),
]);
await write('laboratory.md', laboratoryPage({ 1.37: readRecordings('1.37'), 1.35: readRecordings('1.35') }));
