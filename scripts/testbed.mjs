#!/usr/bin/env node
import { loadModule } from '../test/cluster/harness/load.mjs';

/** `npm run testbed -- up|status|down` runs the cluster of the tests for manual use. */

const { main } = await loadModule('testbed/main.ts');
process.exit(await main(process.argv.slice(2)));
