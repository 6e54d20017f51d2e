import { loadModule } from '../load.mjs';

/** Starts a cluster, tells the parent, and keeps it until it is told to end. The argument is the name of a cell. */

// The parent reads what is said until the cluster is up.
process.stderr.on('error', () => {});

const { hold } = await loadModule('testbed/hold.ts');
process.exit(await hold(process.argv[2]));
