#!/usr/bin/env node
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findComponents } from './components.mjs';
import { missingPackages } from './packages.mjs';
import { build, heading, install, root, run, runWith } from './setup.mjs';
import { selection } from './tiers.mjs';

/**
 * - `npm test`: every check and every tier that can run here; reports what did not run
 * - `npm test -- --no-cluster`: the same without the tiers on real Kubernetes
 * - `npm run test:cluster`: the tiers on real Kubernetes; fails if one of them cannot run
 * - `npm run test:unit` and the like: one tier
 * - `npm test -- PATH [FLAGS]`: the tests in a file or directory; FLAGS are those of vitest
 *
 * APISVC_TIERS=unit,sandbox selects tiers for `npm test`.
 *
 * @typedef {import('./tiers.d.mts').Tier} Tier
 * @typedef {{ passed: number, failed: number, skipped: number }} Counts
 * @typedef {{ tier: string, counts?: Counts, leftOut?: string, fault?: boolean }} Outcome
 * `leftOut`: why it did not run; `fault`: it failed, or did not run although it had to
 */

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

/** Why a tier cannot run on this machine; undefined if it can. @param {Tier} tier */
function obstacle({ needs }) {
  if (needs.length === 0) return undefined;
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root, for a network namespace';
  const { programs, packages } = missingPackages(needs);
  if (programs.length > 0) return `needs ${programs.join(', ')}: apt-get install ${packages.join(' ')}`;
  const { missing } = findComponents();
  if (missing.length === 0) return undefined;
  const names = missing.map(({ name, module }) => `${name} (${module})`).join(', ');
  return `${names} not built yet: npm run test:cluster builds them`;
}

/** Runs the tests of one tier. @param {Tier} tier @param {string[]} filters @returns {Outcome} */
function runTier({ name, project, env }, filters) {
  heading(`${name} tests`);
  const folder = mkdtempSync(join(tmpdir(), 'apisvc-report-'));
  try {
    const report = join(folder, 'report.json');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const succeeded = runWith(env, bin('vitest'), 'run', '--project', project, ...reporters, ...filters);
    const counts = readCounts(report, succeeded);
    // Where nobody reads the list of skipped tests, a skipped test is a failure.
    return { tier: name, counts, fault: !succeeded || ((mustRun || Boolean(process.env.CI)) && counts.skipped > 0) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Without a report, the run broke before the first test: one failure.
 * @param {string} report @param {boolean} succeeded @returns {Counts}
 */
function readCounts(report, succeeded) {
  if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0 };
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(readFileSync(report, 'utf8'));
  const failed = succeeded ? numFailedTests : Math.max(numFailedTests, 1);
  // With a filter, every test that it excludes counts as pending.
  return { passed: numPassedTests, failed, skipped: isFiltered ? 0 : numPendingTests + numTodoTests };
}

/** @param {Tier} tier @returns {Outcome} */
function outcomeOf(tier) {
  const leftOut = obstacle(tier);
  return leftOut ? { tier: tier.name, leftOut, fault: isExplicit } : runTier(tier, filters);
}

/** @param {Counts} counts */
const formatCounts = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`;

/** @param {Outcome[]} outcomes @param {string[]} failedChecks */
function summarize(outcomes, failedChecks) {
  heading('summary');
  for (const check of failedChecks) console.log(`failed: ${check}`);
  for (const { tier, counts, leftOut, fault } of outcomes) {
    console.log(`tier ${tier}: ${counts ? formatCounts(counts) : `did not run (${leftOut})`}${fault ? ' - FAILED' : ''}`);
  }
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const { counts } of outcomes) {
    if (!counts) continue;
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
  }
  console.log(`tests: ${formatCounts(total)}`);
}

/** @returns {boolean} whether everything passed */
function main() {
  const needsBuild = selected.some(({ project }) => project !== 'unit');
  const failed = !install() ? ['npm ci'] : needsBuild && !build() ? ['build'] : isExplicit ? [] : check();
  const isBroken = failed.includes('npm ci') || failed.includes('build');
  if (mustRun && !isBroken) run(process.execPath, join(root, 'scripts', 'build-components.mjs'));
  const outcomes = selected.map((tier) => (isBroken ? { tier: tier.name, leftOut: 'the set-up failed', fault: true } : outcomeOf(tier)));
  for (const { name } of others) outcomes.push({ tier: name, leftOut: 'not selected' });
  summarize(outcomes, failed);
  return failed.length === 0 && outcomes.every(({ fault }) => !fault);
}

/** @returns {import('./tiers.d.mts').Selection} */
function readCommandLine() {
  try {
    return selection(process.argv.slice(2), process.env);
  } catch (error) {
    console.error(`error: ${/** @type {Error} */ (error).message}`);
    process.exit(2);
  }
}

const { selected, others, filters, isExplicit, isFiltered, mustRun } = readCommandLine();
process.exitCode = main() ? 0 : 1;
