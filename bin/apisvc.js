#!/usr/bin/env node
// Plain JavaScript that old Nodes can read, so that they get a sentence and not a syntax error.
import module from 'node:module';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`error: apisvc needs Node 20.19 or newer; this is ${process.version}\n`);
  process.exit(2);
}
// Node 22.1 and newer keep the compiled bundle between runs.
module.enableCompileCache?.();
await import('../dist/main.js');
