// Writes docs/findings.md out of the catalog of findings. A test says when it is out of date.
import { writeFile } from 'node:fs/promises';
import { loadTypescript } from './load-typescript.mjs';

const { findingsPage } = await loadTypescript('src/report/findings-page.ts');
await writeFile(new URL('../docs/findings.md', import.meta.url), findingsPage());
