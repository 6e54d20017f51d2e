// npm run docs: writes the generated pages of docs/, then runs the transcripts of all pages and
// rewrites those whose output has changed. Those of real pods are rewritten by the specs that run
// them, with APISVC_RECORD=1.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadTypescript } from './load-typescript.mjs';
import { build, root, runWith } from './setup.mjs';

const write = (/** @type {string} */ name, /** @type {string} */ text) => writeFile(new URL(`../docs/${name}`, import.meta.url), text);

const { findingsPage } = await loadTypescript('src/report/findings-page.ts');
await write('findings.md', findingsPage());
const { configurationPage } = await loadTypescript('src/report/configuration-page.ts');
await write('configuration.md', configurationPage());
const [{ laboratoryPage }, { readRecordings }] = await Promise.all([
  loadTypescript('test/cluster/laboratory/page.ts'),
  loadTypescript('test/cluster/laboratory/recording.ts'),
]);
await write('laboratory.md', laboratoryPage({ 1.37: readRecordings('1.37'), 1.35: readRecordings('1.35') }));

const vitest = join(root, 'node_modules', '.bin', 'vitest');
const record = (/** @type {string[]} */ ...args) => runWith({ APISVC_RECORD: '1' }, vitest, 'run', ...args);
const recorded =
  build() &&
  record('--project', 'cli', 'test/cli/docs.test.ts') &&
  record('--project', 'sandbox', 'test/sandbox/docs.test.ts', 'test/sandbox/quickstart.test.ts');
process.exitCode = recorded ? 0 : 1;
