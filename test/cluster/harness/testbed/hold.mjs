import { loadModule } from '../load.mjs';

/**
 * Starts a cluster, notifies the parent process, and keeps the cluster running until SIGTERM. The
 * argument is the name of a cell.
 */

// The parent closes this stream when the cluster is up; later writes must not crash this process.
process.stderr.on('error', () => {});

const { hold } = await loadModule('testbed/hold.ts');
process.exit(await hold(process.argv[2]));
