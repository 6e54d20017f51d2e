import { loadModule } from './load.mjs';

/**
 * Starts a cluster as a test run does, prints what it got as one line of JSON, and stays until it, or the process that started it, is
 * killed. With an argument, the name of a cell, it has a node.
 */

process.stdin.resume().once('end', () => process.exit());

const [cell] = process.argv.slice(2);
const { startRun } = await loadModule('run.ts');
const { cellOf } = await loadModule('cells.ts');
const { cluster } = await startRun(cell && { ...cellOf(cell), node: true });
console.log(JSON.stringify(cluster));
