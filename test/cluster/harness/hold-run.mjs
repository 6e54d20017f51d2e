import { createViteServer } from 'vitest/node';

/** Starts a control plane as a test run does, prints what it got as one line of JSON, and stays until it, or the process that started it, is killed. */

process.stdin.resume().once('end', () => process.exit());

const server = await createViteServer({ configFile: false, logLevel: 'error', server: { middlewareMode: true, watch: null, ws: false } });
const { startRun } = await server.ssrLoadModule('/test/cluster/harness/run.ts');
const { cluster } = await startRun();
console.log(JSON.stringify(cluster));
