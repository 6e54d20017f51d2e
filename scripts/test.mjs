#!/usr/bin/env node
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cells, findComponents } from './components.mjs';
import { missingPackages } from './packages.mjs';
import { build, heading, install, root, run, runWith } from './setup.mjs';

/**
 * `npm test`: every check and every tier of tests that can run here, on a fresh clone too. `--cluster` (npm run test:cluster):
 * the tiers on real Kubernetes alone, which then must run completely. APISVC_TIERS=unit,sandbox: only these tiers.
 *
 * @typedef {{ name: string, project: string, needs: import('./packages.d.mts').Use[], env: Record<string, string> }} Tier `project` of vitest; `needs`: whose Debian packages
 * @typedef {{ passed: number, failed: number, skipped: number }} Counts
 * @typedef {{ tier: string, counts?: Counts, leftOut?: string, fault?: boolean }} Outcome `leftOut`: why it did not run; `fault`: it should have
 */

/** @type {Tier[]} */
const tiers = [
  { name: 'unit', project: 'unit', needs: [], env: {} },
  { name: 'cli', project: 'cli', needs: [], env: {} },
  { name: 'sandbox', project: 'sandbox', needs: [], env: {} },
  { name: 'cluster', project: 'cluster', needs: ['cluster'], env: {} },
  // The same specs on real pods, on each kind of control plane.
  ...cells.map((cell) => ({
    name: `node-${cell}`,
    project: 'node',
    needs: ['cluster', 'node'],
    env: { APISVC_CELL: cell },
  })),
];
const clusterOnly = process.argv.includes('--cluster');
const bin = (/** @type {string} */ name) => join(root, 'node_modules', '.bin', name);

/** @returns {string[]} names of the checks that failed */
function check() {
  heading('types');
  const types = run(bin('tsc'), '--noEmit');
  heading('format and lint');
  const lint = run(bin('biome'), 'check');
  heading('unused code, package');
  const unused = run(bin('knip'));
  const publish = run(bin('publint'));
  return [!types && 'types', !lint && 'format and lint', !unused && 'unused code', !publish && 'package'].filter((name) => name !== false);
}

/** Folders of specs: those of the node tier lie within that of the cluster tier. @param {Tier} tier */
const hasSpecs = ({ project }) => {
  const folder = project === 'node' ? join(root, 'test', 'cluster', 'node') : join(root, 'test', project);
  return existsSync(folder) && readdirSync(folder, { recursive: true }).some((file) => String(file).endsWith('.test.ts'));
};

/** What keeps a tier from running right now; undefined when nothing does. @param {Tier} tier */
function obstacle({ needs }) {
  if (needs.length === 0) return undefined;
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root, for a network namespace';
  const { programs, packages } = missingPackages(needs);
  if (programs.length > 0) return `needs ${programs.join(', ')}: apt-get install ${packages.join(' ')}`;
  const { missing } = findComponents();
  if (missing.length === 0) return undefined;
  const names = missing.map(({ name, module }) => `${name} (${module})`).join(', ');
  return clusterOnly ? `${names} could not be built` : `${names} not built yet: npm run test:cluster builds them`;
}

/** Runs the specs of one tier. @param {Tier} tier @returns {Outcome} */
function runTier({ name, project, env }) {
  heading(`${name} tests`);
  const folder = mkdtempSync(join(tmpdir(), 'apisvc-report-'));
  try {
    const report = join(folder, 'report.json');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const succeeded = runWith(env, bin('vitest'), 'run', '--project', project, ...reporters);
    const counts = readCounts(report, succeeded);
    // Where nobody reads the list of what was skipped, a skipped test is a failed one.
    return { tier: name, counts, fault: !succeeded || ((clusterOnly || Boolean(process.env.CI)) && counts.skipped > 0) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Without a report the run broke before any test: one failure. @param {string} report @param {boolean} succeeded @returns {Counts} */
function readCounts(report, succeeded) {
  if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0 };
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(readFileSync(report, 'utf8'));
  const failed = succeeded ? numFailedTests : Math.max(numFailedTests, 1);
  return { passed: numPassedTests, failed, skipped: numPendingTests + numTodoTests };
}

/** Which tiers to run. @throws {Error} when APISVC_TIERS names something else, which would otherwise pass without a test */
function wantedTiers() {
  const asked = process.env.APISVC_TIERS?.split(',');
  const unknown = asked?.find((name) => !tiers.some((tier) => tier.name === name));
  if (unknown !== undefined) {
    throw new Error(`APISVC_TIERS: there is no tier "${unknown}", only ${tiers.map(({ name }) => name).join(', ')}`);
  }
  return tiers.filter(({ name, needs }) => (asked ? asked.includes(name) : true) && (needs.length > 0 || !clusterOnly));
}

/** @param {Tier} tier @returns {Outcome} */
function outcomeOf(tier) {
  const { name } = tier;
  if (!wantedTiers().includes(tier)) return { tier: name, leftOut: 'not asked for' };
  if (!hasSpecs(tier)) return { tier: name, leftOut: 'no specs yet', fault: clusterOnly };
  const leftOut = obstacle(tier);
  return leftOut ? { tier: name, leftOut, fault: clusterOnly } : runTier(tier);
}

/** @param {Counts} counts */
const words = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`;

/** @param {Outcome[]} outcomes @param {string[]} failedChecks */
function summarize(outcomes, failedChecks) {
  heading('summary');
  for (const check of failedChecks) console.log(`failed: ${check}`);
  for (const { tier, counts, leftOut, fault } of outcomes) {
    console.log(`tier ${tier}: ${counts ? words(counts) : `did not run (${leftOut})`}${fault ? ' - FAILED' : ''}`);
  }
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const { counts } of outcomes) {
    if (!counts) continue;
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
  }
  console.log(`tests: ${words(total)}`);
}

/** @returns {boolean} whether all is well */
function main() {
  const failed = !install() ? ['npm ci'] : !build() ? ['build'] : clusterOnly ? [] : check();
  const unusable = failed.includes('npm ci') || failed.includes('build');
  if (clusterOnly && !unusable) run(process.execPath, join(root, 'scripts', 'build-components.mjs'));
  const outcomes = tiers.map((tier) => (unusable ? { tier: tier.name, leftOut: 'the set-up failed', fault: true } : outcomeOf(tier)));
  summarize(outcomes, failed);
  return failed.length === 0 && outcomes.every(({ fault }) => !fault);
}

process.exitCode = main() ? 0 : 1;
