import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../scripts/setup.mjs';
import { originOf, tableOf } from './rotation/table.mjs';

const page = join(root, 'docs', 'rotation.md');
const file = join(root, 'bench', 'rotation', 'rows.jsonl');
const markers = { begin: '<!-- begin: npm run bench rotation -->', end: '<!-- end -->' };

const usage = `npm run bench -- rotation [flags]; each flag can be repeated, and selects all without it
  --kubernetes 1.37|1.35   --sync 10s|60s   --rate 100|300   --server NAME   --scenario NAME
The table keeps the rows of earlier runs, in bench/rotation/rows.jsonl.`;

/** @param {string[]} args */
function readFlags(args) {
  const many = /** @type {const} */ ({ type: 'string', multiple: true });
  const options = {
    kubernetes: many,
    sync: many,
    rate: many,
    server: many,
    scenario: many,
  };
  const { values } = parseArgs({ args, options });
  const { kubernetes = ['1.37', '1.35'], sync = ['10s', '60s'], rate = ['100', '300'], server = [], scenario = [] } = values;
  return { kubernetes, sync, rate, server, scenario };
}

/**
 * Rotates certificates and restarts servers in many ways, each under load, on real pods. Prints how
 * many requests failed, and writes the table to docs/rotation.md.
 * @param {string[]} args
 * @returns {boolean} whether every scenario ran to its end
 */
export function benchRotation(args) {
  let flags;
  try {
    flags = readFlags(args);
  } catch (error) {
    console.error(`error: ${/** @type {Error} */ (error).message}\n${usage}`);
    return false;
  }
  const { server: servers, scenario: scenarios } = flags;
  const selection = JSON.stringify({ file, servers, scenarios, rates: flags.rate.map(Number), ...origin() });
  const clusters = flags.kubernetes.flatMap((cell) => flags.sync.map((sync) => ({ cell, sync })));
  const succeeded = clusters.map(({ cell, sync }) => runOn(cell, sync, selection));
  const rows = lastOfEach(readRows());
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const table = `${tableOf(rows)}\n\n${originOf(rows)}`;
  console.log(`\n${table}`);
  writeTable(table);
  return succeeded.every(Boolean);
}

/** What a new row is measured on: this commit, `-dirty` with changes, and today. */
function origin() {
  const describe = ['describe', '--always', '--dirty', '--abbrev=7', '--exclude=*'];
  const commit = execFileSync('git', describe, { cwd: root, encoding: 'utf8' }).trim();
  return { commit, date: new Date().toISOString().slice(0, 10) };
}

/** @returns {import('./rotation/table.d.mts').Row[]} */
function readRows() {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}

/**
 * The last of the rows that measure the same, in the place of the first one.
 * @param {readonly import('./rotation/table.d.mts').Row[]} rows
 */
function lastOfEach(rows) {
  const places = new Map(rows.map((row) => [[row.scenario, row.server, row.sync, row.kubernetes, row.rate].join(' | '), row]));
  return [...places.values()];
}

/** @param {string} cell @param {string} sync @param {string} selection */
function runOn(cell, sync, selection) {
  const env = { ...process.env, APISVC_CELL: cell, APISVC_KUBELET_SYNC: sync, APISVC_ROTATION: selection };
  const vitest = join(root, 'node_modules', '.bin', 'vitest');
  const { status } = spawnSync(vitest, ['run', '--config', 'bench/rotation/vitest.config.ts', '--passWithNoTests'], {
    cwd: root,
    env,
    stdio: 'inherit',
  });
  return status === 0;
}

/** Replaces the table, and the line below it, in docs/rotation.md. @param {string} table */
function writeTable(table) {
  const text = readFileSync(page, 'utf8');
  const [from, to] = [text.indexOf(markers.begin), text.indexOf(markers.end)];
  if (from === -1 || to < from) throw new Error(`${page} has no place for the table: ${markers.begin} and ${markers.end}`);
  writeFileSync(page, `${text.slice(0, from)}${markers.begin}\n\n${table}\n\n${text.slice(to)}`);
}
