#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { obstacle } from './obstacle.mjs';
import { writePrefixed } from './prefixed.mjs';
import { build, heading, install, root, run } from './setup.mjs';
import { selection, stagesOf } from './tiers.mjs';

/**
 * - `npm test`: every check and every tier that can run here; reports what did not run
 * - `npm run test:all`: every check and every tier; fails if one of them cannot run
 * - `npm run test:cluster`: the same for the tiers on real Kubernetes only, without the checks
 * - `npm run test:unit` and the like: one tier
 * - `npm test -- PATH [FLAGS]`: the tests in a file or directory; FLAGS are those of vitest
 *
 * APISVC_TIERS=unit,sandbox selects tiers for `npm test`.
 *
 * @typedef {import('./tiers.d.mts').Tier} Tier
 * @typedef {{ passed: number, failed: number, skipped: number }} Counts
 * @typedef {{ counts: Counts, failures: string[] }} Report `failures`: a line for each failed test
 * @typedef {Partial<Report> & { tier: string, leftOut?: string, fault?: boolean }} Outcome
 * `leftOut`: why it did not run; `fault`: it failed, or did not run although it had to
 * @typedef {{ fullName: string, status: string, failureMessages: string[] }} TestResult
 * @typedef {{ name: string, status: string, message: string,
 *   assertionResults: TestResult[] }} FileResult
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

/** The Go programs of a cluster use a fifth less processor time with it, and more memory. */
const collectRarely = '400';

/**
 * Runs the tests of one tier.
 * @param {Tier} tier
 * @param {string[]} filters
 * @param {boolean} isAlone whether no other tier runs at the same time. Otherwise, each line of its
 * output begins with its name.
 * @returns {Promise<Outcome>}
 */
async function runTier({ name, project, env }, filters, isAlone) {
  if (isAlone) heading(`${name} tests`);
  const report = join(folder, `${name}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const short = isFiltered || process.env.APISVC_THOROUGH ? {} : { APISVC_SHORT: '1' };
  const child = spawn(bin('vitest'), ['run', '--project', project, ...reporters, ...filters], {
    cwd: root,
    stdio: isAlone ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    env: { GOGC: collectRarely, ...process.env, ...env, ...short, APISVC_RUN: folder },
  });
  const ended = once(child, 'close');
  const write = (/** @type {string} */ line) => process.stdout.write(line);
  await Promise.all([child.stdout, child.stderr].map((stream) => stream && writePrefixed(stream, name, write)));
  const [exitCode] = await ended;
  const succeeded = exitCode === 0;
  const { counts, failures } = readReport(report, succeeded);
  // Where nobody reads the list of skipped tests, a skipped test is a failure.
  return { tier: name, counts, failures, fault: !succeeded || ((mustRun || Boolean(process.env.CI)) && counts.skipped > 0) };
}

/**
 * Without a report, the run broke before the first test: one failure.
 * @param {string} path @param {boolean} succeeded @returns {Report}
 */
function readReport(path, succeeded) {
  if (!existsSync(path)) return { counts: { passed: 0, failed: 1, skipped: 0 }, failures: ['no test ran'] };
  const report = JSON.parse(readFileSync(path, 'utf8'));
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = report;
  const failed = succeeded ? numFailedTests : Math.max(numFailedTests, 1);
  // With a filter, every test that it excludes counts as pending.
  const skipped = isFiltered ? 0 : numPendingTests + numTodoTests;
  return { counts: { passed: numPassedTests, failed, skipped }, failures: report.testResults.flatMap(failuresOf) };
}

/**
 * One line for each test of a file that failed. A file that could not run has only a message.
 * @param {FileResult} file
 */
function failuresOf({ name, status, message, assertionResults }) {
  const file = relative(root, name);
  const failed = assertionResults.filter((test) => test.status === 'failed');
  if (failed.length === 0) return status === 'failed' ? [`${file}: ${firstLine(message)}`] : [];
  return failed.map(({ fullName, failureMessages }) => `${file}: ${fullName}: ${firstLine(failureMessages[0])}`);
}

/** @param {string | undefined} text */
const firstLine = (text = '') => stripVTControlCharacters(text).split('\n', 1)[0].slice(0, 1_000);

/** @param {Tier} tier @param {boolean} isAlone @returns {Promise<Outcome>} */
async function outcomeOf(tier, isAlone) {
  const leftOut = obstacle(tier);
  return leftOut ? { tier: tier.name, leftOut, fault: isExplicit || mustRun } : runTier(tier, filters, isAlone);
}

/**
 * Runs the stages one after another. The lanes of a stage run at the same time, and the tiers of a
 * lane one after another.
 * @param {readonly Tier[][][]} stages
 * @returns {Promise<Outcome[]>}
 */
async function runStages(stages) {
  /** @type {Outcome[]} */
  const outcomes = [];
  for (const lanes of stages) {
    if (lanes.length > 1) heading(`${lanes.map((lane) => lane.map(({ name }) => name).join(', then ')).join('; at the same time ')}`);
    const ofLanes = await Promise.all(
      lanes.map(async (lane) => {
        /** @type {Outcome[]} */
        const done = [];
        for (const tier of lane) done.push(await outcomeOf(tier, lanes.length === 1));
        return done;
      }),
    );
    outcomes.push(...ofLanes.flat());
  }
  return outcomes;
}

/** @param {Counts} counts */
const formatCounts = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`;

/** @param {Outcome[]} outcomes @param {string[]} failedChecks */
function summarize(outcomes, failedChecks) {
  heading('summary');
  for (const check of failedChecks) console.log(`failed: ${check}`);
  for (const { tier, counts, failures = [], leftOut, fault } of outcomes) {
    console.log(`tier ${tier}: ${counts ? formatCounts(counts) : `did not run (${leftOut})`}${fault ? ' - FAILED' : ''}`);
    for (const failure of failures) console.log(`failed: ${failure}`);
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

/** @returns {Promise<boolean>} whether everything passed */
async function main() {
  const needsBuild = selected.some(({ project }) => project !== 'unit');
  const failed = !install() ? ['npm ci'] : needsBuild && !build() ? ['build'] : isExplicit ? [] : check();
  const isBroken = failed.includes('npm ci') || failed.includes('build');
  if (mustRun && !isBroken) run(process.execPath, join(root, 'scripts', 'build-components.mjs'));
  const outcomes = isBroken
    ? selected.map((tier) => ({ tier: tier.name, leftOut: 'the set-up failed', fault: true }))
    : await runStages(stagesOf(selected));
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
/** For reports, and for what the tiers of a run share. */
const folder = mkdtempSync(join(tmpdir(), 'apisvc-run-'));
try {
  process.exitCode = (await main()) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
