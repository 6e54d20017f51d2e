#!/usr/bin/env node
import { loadModule } from '../test/cluster/harness/load.mjs';

/** `npm run testbed -- up|status|down`: the cluster of the tests, for a person. */

const { main } = await loadModule('testbed/main.ts');
process.exit(await main(process.argv.slice(2)));
