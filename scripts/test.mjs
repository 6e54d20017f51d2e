#!/usr/bin/env node
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { findComponents } from './components.mjs';
import { build, heading, install, root, run } from './setup.mjs';

/**
 * `npm test`: every check and every tier of tests that can run here, on a fresh clone too. `--cluster` (npm run test:cluster):
 * the cluster tier alone, which then must run completely. APISVC_TIERS=unit,sandbox: only these tiers.
 *
 * @typedef {{ passed: number, failed: number, skipped: number }} Counts
 * @typedef {{ tier: string, counts?: Counts, leftOut?: string, fault?: boolean }} Outcome `leftOut`: why it did not run; `fault`: it should have
 */

const tiers = ['unit', 'sandbox', 'cluster'];
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

/** @param {string} tier */
const hasSpecs = (tier) => {
  const folder = join(root, 'test', tier);
  return existsSync(folder) && readdirSync(folder, { recursive: true }).some((file) => String(file).endsWith('.test.ts'));
};

/** What keeps the cluster tier from running right now; undefined when nothing does. */
function clusterObstacle() {
  const installed = (/** @type {string} */ name) =>
    (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root, for a network namespace';
  if (!installed('ip') || !installed('nsenter')) return 'needs ip and nsenter: apt-get install iproute2 util-linux';
  const { missing } = findComponents();
  if (missing.length === 0) return undefined;
  const names = missing.map(({ name }) => name).join(', ');
  return clusterOnly ? `${names} could not be built` : `${names} not built yet: npm run test:cluster builds them`;
}

/** Runs the specs of one tier. @param {string} tier @returns {Outcome} */
function runTier(tier) {
  heading(`${tier} tests`);
  const folder = mkdtempSync(join(tmpdir(), 'apisvc-report-'));
  try {
    const report = join(folder, 'report.json');
    const succeeded = run(bin('vitest'), 'run', '--project', tier, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`);
    const counts = readCounts(report, succeeded);
    // Where nobody reads the list of what was skipped, a skipped test is a failed one.
    return { tier, counts, fault: !succeeded || ((clusterOnly || Boolean(process.env.CI)) && counts.skipped > 0) };
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

/** @returns {Outcome} */
function clusterTier() {
  if (clusterOnly) run(process.execPath, join(root, 'scripts', 'build-components.mjs'));
  const obstacle = clusterObstacle();
  if (obstacle) return { tier: 'cluster', leftOut: obstacle, fault: clusterOnly };
  return runTier('cluster');
}

/** @throws {Error} when APISVC_TIERS names something else, which would otherwise pass without a test */
function wantedTiers() {
  const wanted = clusterOnly ? ['cluster'] : (process.env.APISVC_TIERS?.split(',') ?? tiers);
  const unknown = wanted.find((tier) => !tiers.includes(tier));
  if (unknown !== undefined) throw new Error(`APISVC_TIERS: there is no tier "${unknown}", only ${tiers.join(', ')}`);
  return wanted;
}

/** @param {string} tier @returns {Outcome} */
function outcomeOf(tier) {
  if (!wantedTiers().includes(tier)) return { tier, leftOut: 'not asked for' };
  if (!hasSpecs(tier)) return { tier, leftOut: 'no specs yet', fault: clusterOnly };
  return tier === 'cluster' ? clusterTier() : runTier(tier);
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
  const outcomes = tiers.map((tier) => (unusable ? { tier, leftOut: 'the set-up failed', fault: true } : outcomeOf(tier)));
  summarize(outcomes, failed);
  return failed.length === 0 && outcomes.every(({ fault }) => !fault);
}

process.exitCode = main() ? 0 : 1;
