import { loadModule } from './load.mjs';

/**
 * Starts a cluster as a test run does, prints its details as one line of JSON, and keeps it running
 * until this process or its parent is killed. With the name of a cell as the argument, the cluster
 * has a node.
 */

process.stdin.resume().once('end', () => process.exit());

const [cell] = process.argv.slice(2);
const { startRun } = await loadModule('run.ts');
const { cellOf } = await loadModule('cells.ts');
const { cluster } = await startRun(cell && { ...cellOf(cell), node: true });
console.log(JSON.stringify(cluster));
